"""Equations of a whole clip, solved link by link."""

import pytest
import torch
from ascension_vision.ghost.banded import solve_band


@pytest.mark.parametrize("count", [1, 14, 15, 47])
def test_a_banded_matrix_is_solved_as_the_whole_one_is(count: int) -> None:
    width = 15
    random = torch.randn(count, count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    apart = (torch.arange(count)[:, None] - torch.arange(count)).abs()
    root = torch.where(apart <= width // 2, random, 0.0)
    matrix = root @ root.T + torch.eye(count, dtype=torch.float64)
    right = torch.arange(count, dtype=torch.float64)
    assert torch.allclose(solve_band(matrix, right, width), torch.linalg.solve(matrix, right))
