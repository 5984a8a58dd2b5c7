"""What LocalStack's Step Functions lacks of `batch:submitJob.sync`: retries, and an end for jobs nobody waits for.

On AWS a time-out of the state and StopExecution terminate the job. LocalStack only stops polling and would leave it
running, holding the machine while the retry's job waits behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localstack.runtime import hooks


@hooks.on_infra_start()
def wait_for_jobs_as_aws_does() -> None:
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
        state_task_service_batch,
        state_task_service_callback,
    )
    from localstack.services.stepfunctions.asl.utils.boto_client import boto_client_for
    from localstack.utils.patch import patch

    # How often a job is looked at, in seconds: what it costs is a function call in this process.
    state_task_service_callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = 0.1  # type: ignore[misc]

    @patch(state_task_service_batch.StateTaskServiceBatch._build_sync_resolver)
    def build_sync_resolver(
        original: Callable[..., Any],
        self: Any,
        env: Any,
        resource_runtime_part: Any,
        normalised_parameters: Any,
        state_credentials: Any,
    ) -> Any:
        job = env.stack[-1]["JobId"]  # leaves the stack with the original's call
        resolver = original(self, env, resource_runtime_part, normalised_parameters, state_credentials)
        client = boto_client_for(
            service="batch", region=resource_runtime_part.region, state_credentials=state_credentials
        )
        resolver.terminate = lambda: client.terminate_job(
            jobId=job, reason="The state that waits for this job timed out or its execution was stopped"
        )
        return resolver

    @patch(state_task_service_callback.StateTaskServiceCallback._eval_sync)
    def eval_sync(original: Callable[..., Any], self: Any, env: Any, sync_resolver: Any, **arguments: Any) -> Any:
        terminate = getattr(sync_resolver, "terminate", None)
        if terminate is None:
            return original(self, env=env, sync_resolver=sync_resolver, **arguments)
        # Batch has no task tokens. LocalStack waits for one beside the job, and takes the first attempt's, which is
        # used up, for the retry's: that would time out at once.
        arguments["callback_endpoint"] = None
        try:
            return original(self, env=env, sync_resolver=sync_resolver, **arguments)
        finally:
            if not env.is_running():
                terminate()
