"""The built-in networks are there once, whoever asks."""

from concurrent.futures import ThreadPoolExecutor

from ascension_vision import networks


def test_a_process_loads_a_network_once_however_many_ask_at_once() -> None:
    for load in (networks.pose_model, networks.hold_model):
        with ThreadPoolExecutor(4) as threads:
            loaded = list(threads.map(load, ["cpu"] * 4))
        assert len({id(network) for network in loaded}) == 1
