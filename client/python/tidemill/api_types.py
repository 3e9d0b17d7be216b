"""Generated from orchestrator/openapi.json by client/scripts/generate.mjs; not edited by hand."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, Union

from typing_extensions import NotRequired


Account = TypedDict(
    "Account",
    {
        "id": 'str',
        "wallet": 'str',
        "available": 'str',
        "held": 'str',
        "spent": 'str',
        "warnBelow": 'Union[str, None]',
        "granted": 'str',
        "deposited": 'str',
        "withdrawing": 'str',
        "withdrawn": 'str',
        "budget": 'Budget',
    },
)

Artifact = TypedDict(
    "Artifact",
    {
        "digest": 'str',
        "sizeBytes": 'int',
        "createdAt": 'str',
    },
)

Attempt = TypedDict(
    "Attempt",
    {
        "id": 'str',
        "taskId": 'str',
        "number": 'int',
        "role": 'Literal["primary", "replica", "audit", "referee"]',
        "workerId": 'str',
        "fence": 'int',
        "state": 'Literal["leased", "running", "reported", "accepted", "rejected", "disputed", "failed", "cancelled", "preempted", "lost", "stale"]',
        "reason": 'Union[str, None]',
        "leasedAt": 'str',
        "startedAt": 'Union[str, None]',
        "finishedAt": 'Union[str, None]',
        "decisionId": 'Union[str, None]',
        "receiptHash": 'Union[str, None]',
        "verdict": 'Union[Literal["accepted", "rejected", "disputed"], None]',
        "price": 'Union[str, None]',
    },
)

AttestationRequest = TypedDict(
    "AttestationRequest",
    {
        "cosigner": 'str',
        "signature": 'str',
    },
)

BalanceWarning = TypedDict(
    "BalanceWarning",
    {
        "below": 'Union[Union[str, float], None]',
    },
)

BatchRequest = TypedDict(
    "BatchRequest",
    {
        "jobs": 'list[JobSpec]',
    },
)

BatchResultJobsItem = TypedDict(
    "BatchResultJobsItem",
    {
        "id": 'str',
        "hold": 'str',
    },
)

BatchResult = TypedDict(
    "BatchResult",
    {
        "jobs": 'list[BatchResultJobsItem]',
    },
)
"""All jobs of the request were accepted, in its order."""

BudgetDay = TypedDict(
    "BudgetDay",
    {
        "limit": 'str',
        "used": 'str',
        "left": 'str',
        "renewsAt": 'Union[str, None]',
    },
)

BudgetMonth = TypedDict(
    "BudgetMonth",
    {
        "limit": 'str',
        "used": 'str',
        "left": 'str',
        "renewsAt": 'Union[str, None]',
    },
)

BudgetTotal = TypedDict(
    "BudgetTotal",
    {
        "limit": 'str',
        "used": 'str',
        "left": 'str',
        "renewsAt": 'Union[str, None]',
    },
)

Budget = TypedDict(
    "Budget",
    {
        "day": 'Union[BudgetDay, None]',
        "month": 'Union[BudgetMonth, None]',
        "total": 'Union[BudgetTotal, None]',
    },
)

BudgetRequest = TypedDict(
    "BudgetRequest",
    {
        "day": 'NotRequired[Union[Union[str, float], None]]',
        "month": 'NotRequired[Union[Union[str, float], None]]',
        "total": 'NotRequired[Union[Union[str, float], None]]',
    },
)
"""Null ends a limit; one that is not named stays as it is."""

CapabilitiesRuntimesItem = TypedDict(
    "CapabilitiesRuntimesItem",
    {
        "name": 'Literal["noop", "tfjs"]',
        "class": 'str',
    },
)

Capabilities = TypedDict(
    "Capabilities",
    {
        "runtimes": 'list[CapabilitiesRuntimesItem]',
        "isolation": 'Literal["none", "process", "namespaces", "sandbox"]',
        "gpuModel": 'Union[str, None]',
        "region": 'str',
        "os": 'str',
        "agent": 'str',
    },
)

ChainStateStopped = TypedDict(
    "ChainStateStopped",
    {
        "at": 'str',
        "why": 'str',
    },
)

ChainStateReconciled = TypedDict(
    "ChainStateReconciled",
    {
        "at": 'str',
        "slot": 'int',
    },
)

ChainStateCursor = TypedDict(
    "ChainStateCursor",
    {
        "signature": 'str',
        "slot": 'int',
    },
)

ChainStateUnderWayItem = TypedDict(
    "ChainStateUnderWayItem",
    {
        "purpose": 'str',
        "signature": 'str',
        "lastValidHeight": 'int',
    },
)

ChainStateFailingItem = TypedDict(
    "ChainStateFailingItem",
    {
        "loop": 'str',
        "since": 'str',
        "failures": 'int',
        "error": 'str',
    },
)

ChainState = TypedDict(
    "ChainState",
    {
        "enabled": 'bool',
        "stopped": 'Union[ChainStateStopped, None]',
        "reconciled": 'Union[ChainStateReconciled, None]',
        "cursor": 'Union[ChainStateCursor, None]',
        "underWay": 'list[ChainStateUnderWayItem]',
        "failing": 'list[ChainStateFailingItem]',
    },
)

ChangeWebhookRequest = TypedDict(
    "ChangeWebhookRequest",
    {
        "events": 'NotRequired[list[Literal["job.running", "job.hold-low", "job.succeeded", "job.failed", "job.cancelled", "job.expired", "balance.low", "key.created", "key.revoked", "worker.online", "worker.draining", "worker.offline", "worker.suspended"]]]',
        "enabled": 'NotRequired[bool]',
    },
)

Checkpoint = TypedDict(
    "Checkpoint",
    {
        "size": 'int',
        "root": 'str',
        "chain": 'str',
        "at": 'str',
        "network": 'str',
        "publicKey": 'str',
        "signature": 'str',
    },
)

CheckpointPage = TypedDict(
    "CheckpointPage",
    {
        "items": 'list[WitnessedCheckpoint]',
        "nextCursor": 'Union[str, None]',
    },
)

ConsistencyProof = TypedDict(
    "ConsistencyProof",
    {
        "from": 'int',
        "to": 'int',
        "path": 'list[str]',
        "fromRoot": 'str',
        "toRoot": 'str',
    },
)

CosignatureRequest = TypedDict(
    "CosignatureRequest",
    {
        "size": 'int',
        "publicKey": 'str',
        "at": 'str',
        "signature": 'str',
    },
)

CreateKeyRequest = TypedDict(
    "CreateKeyRequest",
    {
        "name": 'str',
        "scopes": 'list[Literal["jobs:read", "jobs:write", "artifacts:read", "artifacts:write", "account:read", "keys:write", "webhooks:write", "admin"]]',
        "expiresAt": 'NotRequired[str]',
    },
)

CreateUploadRequest = TypedDict(
    "CreateUploadRequest",
    {
        "digest": 'str',
        "sizeBytes": 'int',
    },
)

CreateWebhookRequest = TypedDict(
    "CreateWebhookRequest",
    {
        "url": 'str',
        "events": 'NotRequired[list[Literal["job.running", "job.hold-low", "job.succeeded", "job.failed", "job.cancelled", "job.expired", "balance.low", "key.created", "key.revoked", "worker.online", "worker.draining", "worker.offline", "worker.suspended"]]]',
    },
)

CreatedKey = TypedDict(
    "CreatedKey",
    {
        "id": 'str',
        "name": 'str',
        "prefix": 'str',
        "scopes": 'list[Literal["jobs:read", "jobs:write", "artifacts:read", "artifacts:write", "account:read", "keys:write", "webhooks:write", "admin"]]',
        "createdAt": 'str',
        "expiresAt": 'Union[str, None]',
        "lastUsedAt": 'Union[str, None]',
        "key": 'str',
    },
)

CreditRequest = TypedDict(
    "CreditRequest",
    {
        "wallet": 'str',
        "amount": 'Union[str, float]',
        "ref": 'str',
    },
)
"""The same ref twice gives the credit once."""

Decision = TypedDict(
    "Decision",
    {
        "id": 'str',
        "at": 'str',
        "place": 'Union[int, None]',
        "record": 'dict[str, Any]',
    },
)

DecisionInputs = TypedDict(
    "DecisionInputs",
    {
        "digest": 'str',
        "text": 'str',
        "workerKinds": 'list[str]',
    },
)

EarningsItemsItem = TypedDict(
    "EarningsItemsItem",
    {
        "from": 'str',
        "results": 'int',
        "amount": 'str',
    },
)

EarningsEpochsItem = TypedDict(
    "EarningsEpochsItem",
    {
        "epoch": 'int',
        "state": 'Literal["open", "sealed", "posted", "final", "voided"]',
        "sealedAt": 'str',
        "amount": 'str',
        "slashed": 'str',
    },
)

Earnings = TypedDict(
    "Earnings",
    {
        "by": 'Literal["hour", "day", "week", "month"]',
        "items": 'list[EarningsItemsItem]',
        "total": 'str',
        "epochs": 'list[EarningsEpochsItem]',
    },
)

EpochAttestationsItem = TypedDict(
    "EpochAttestationsItem",
    {
        "cosigner": 'str',
        "signature": 'str',
        "at": 'str',
    },
)

EpochObjectionsItem = TypedDict(
    "EpochObjectionsItem",
    {
        "cosigner": 'str',
        "reason": 'str',
        "signature": 'str',
        "at": 'str',
    },
)

Epoch = TypedDict(
    "Epoch",
    {
        "number": 'int',
        "state": 'Literal["open", "sealed", "posted", "final", "voided"]',
        "charges": 'int',
        "totals": 'SettlementTotals',
        "statement": 'Union[RootStatement, None]',
        "attestations": 'list[EpochAttestationsItem]',
        "objections": 'list[EpochObjectionsItem]',
        "openedAt": 'str',
        "sealedAt": 'Union[str, None]',
        "postedAt": 'Union[str, None]',
        "finalAt": 'Union[str, None]',
        "voidedAt": 'Union[str, None]',
        "voidReason": 'Union[str, None]',
    },
)

EpochPage = TypedDict(
    "EpochPage",
    {
        "items": 'list[Epoch]',
        "nextCursor": 'Union[str, None]',
    },
)

ExceededBudget = TypedDict(
    "ExceededBudget",
    {
        "of": 'Literal["account", "key"]',
        "period": 'Literal["day", "month", "total"]',
        "limit": 'str',
        "used": 'str',
        "left": 'str',
        "renewsAt": 'Union[str, None]',
        "asked": 'str',
    },
)

ExpectedStartEstimate = TypedDict(
    "ExpectedStartEstimate",
    {
        "p50": 'str',
        "p90": 'str',
        "basis": 'Literal["warm", "queue", "forecast"]',
    },
)

ExpectedStart = TypedDict(
    "ExpectedStart",
    {
        "estimate": 'Union[ExpectedStartEstimate, None]',
        "reason": 'Union[str, None]',
    },
)

InclusionProof = TypedDict(
    "InclusionProof",
    {
        "place": 'int',
        "size": 'int',
        "leaf": 'str',
        "path": 'list[str]',
        "root": 'str',
    },
)

JobReason = TypedDict(
    "JobReason",
    {
        "code": 'str',
        "message": 'str',
    },
)

JobTasks = TypedDict(
    "JobTasks",
    {
        "total": 'int',
        "succeeded": 'int',
        "running": 'int',
    },
)

JobProgress = TypedDict(
    "JobProgress",
    {
        "step": 'int',
        "totalSteps": 'int',
        "metrics": 'dict[str, float]',
    },
)

Job = TypedDict(
    "Job",
    {
        "id": 'str',
        "kind": 'str',
        "name": 'Union[str, None]',
        "labels": 'Labels',
        "state": 'Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]',
        "reason": 'Union[JobReason, None]',
        "createdAt": 'str',
        "startedAt": 'Union[str, None]',
        "finishedAt": 'Union[str, None]',
        "tasks": 'JobTasks',
        "progress": 'Union[JobProgress, None]',
        "hold": 'str',
        "cost": 'str',
        "verify": 'VerifyApplied',
        "expectedStart": 'Union[ExpectedStart, None]',
    },
)

JobDetailReason = TypedDict(
    "JobDetailReason",
    {
        "code": 'str',
        "message": 'str',
    },
)

JobDetailTasks = TypedDict(
    "JobDetailTasks",
    {
        "total": 'int',
        "succeeded": 'int',
        "running": 'int',
    },
)

JobDetailProgress = TypedDict(
    "JobDetailProgress",
    {
        "step": 'int',
        "totalSteps": 'int',
        "metrics": 'dict[str, float]',
    },
)

JobDetail = TypedDict(
    "JobDetail",
    {
        "id": 'str',
        "kind": 'str',
        "name": 'Union[str, None]',
        "labels": 'Labels',
        "state": 'Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]',
        "reason": 'Union[JobDetailReason, None]',
        "createdAt": 'str',
        "startedAt": 'Union[str, None]',
        "finishedAt": 'Union[str, None]',
        "tasks": 'JobDetailTasks',
        "progress": 'Union[JobDetailProgress, None]',
        "hold": 'str',
        "cost": 'str',
        "verify": 'VerifyApplied',
        "expectedStart": 'Union[ExpectedStart, None]',
        "spec": 'JobSpec',
        "taskList": 'list[Task]',
    },
)

JobEvent = TypedDict(
    "JobEvent",
    {
        "id": 'int',
        "at": 'str',
        "type": 'Literal["accepted", "leased", "running", "progress", "checkpoint", "reported", "verdict", "lost", "requeued", "booked", "finished", "log", "hold-low"]',
        "data": 'dict[str, Any]',
    },
)

JobPage = TypedDict(
    "JobPage",
    {
        "items": 'list[Job]',
        "nextCursor": 'Union[str, None]',
    },
)

JobSpecRuntime = TypedDict(
    "JobSpecRuntime",
    {
        "tfjs": 'NotRequired[Union[TfjsTraining, TfjsInference]]',
        "noop": 'NotRequired[NoopRuntime]',
    },
)

JobSpecCheckpoint = TypedDict(
    "JobSpecCheckpoint",
    {
        "every": 'str',
    },
)

JobSpecRetry = TypedDict(
    "JobSpecRetry",
    {
        "max": 'int',
    },
)

JobSpec = TypedDict(
    "JobSpec",
    {
        "kind": 'Literal["batch", "training", "inference"]',
        "name": 'NotRequired[str]',
        "labels": 'NotRequired[Labels]',
        "runtime": 'JobSpecRuntime',
        "resources": 'NotRequired[Resources]',
        "checkpoint": 'NotRequired[JobSpecCheckpoint]',
        "retry": 'NotRequired[JobSpecRetry]',
        "limits": 'NotRequired[Limits]',
        "priority": 'NotRequired[Literal["low", "normal", "high"]]',
        "verify": 'NotRequired[Verify]',
    },
)

Key = TypedDict(
    "Key",
    {
        "id": 'str',
        "name": 'str',
        "prefix": 'str',
        "scopes": 'list[Literal["jobs:read", "jobs:write", "artifacts:read", "artifacts:write", "account:read", "keys:write", "webhooks:write", "admin"]]',
        "createdAt": 'str',
        "expiresAt": 'Union[str, None]',
        "lastUsedAt": 'Union[str, None]',
    },
)

KeyPage = TypedDict(
    "KeyPage",
    {
        "items": 'list[Key]',
        "nextCursor": 'Union[str, None]',
    },
)

LedgerEntryPostingsItem = TypedDict(
    "LedgerEntryPostingsItem",
    {
        "account": 'str',
        "amount": 'str',
    },
)

LedgerEntry = TypedDict(
    "LedgerEntry",
    {
        "id": 'str',
        "at": 'str',
        "kind": 'str',
        "ref": 'str',
        "postings": 'list[LedgerEntryPostingsItem]',
    },
)

LedgerEntryPage = TypedDict(
    "LedgerEntryPage",
    {
        "items": 'list[LedgerEntry]',
        "nextCursor": 'Union[str, None]',
    },
)

Limits = TypedDict(
    "Limits",
    {
        "maxPricePerGpuHour": 'NotRequired[Union[str, float]]',
        "maxPricePerCpuHour": 'NotRequired[Union[str, float]]',
        "maxDuration": 'NotRequired[str]',
        "deadline": 'NotRequired[str]',
        "maxCost": 'NotRequired[Union[str, float]]',
    },
)

LogLine = TypedDict(
    "LogLine",
    {
        "attemptId": 'str',
        "line": 'int',
        "at": 'str',
        "stream": 'Literal["out", "err"]',
        "text": 'str',
    },
)

LogPage = TypedDict(
    "LogPage",
    {
        "items": 'list[LogLine]',
        "nextCursor": 'Union[str, None]',
    },
)

LoginChallenge = TypedDict(
    "LoginChallenge",
    {
        "message": 'str',
        "nonce": 'str',
        "expiresAt": 'str',
    },
)
"""Sign the UTF-8 bytes of message with the key, within a minute, once."""

LoginChallengeRequest = TypedDict(
    "LoginChallengeRequest",
    {
        "publicKey": 'str',
    },
)

LoginRequest = TypedDict(
    "LoginRequest",
    {
        "publicKey": 'str',
        "nonce": 'str',
        "signature": 'str',
    },
)

LoginResult = TypedDict(
    "LoginResult",
    {
        "token": 'str',
        "expiresAt": 'str',
        "accountId": 'str',
    },
)

MarketClassesItemCpuHour = TypedDict(
    "MarketClassesItemCpuHour",
    {
        "low": 'str',
        "median": 'str',
        "high": 'str',
    },
)

MarketClassesItemGpuHour = TypedDict(
    "MarketClassesItemGpuHour",
    {
        "low": 'str',
        "median": 'str',
        "high": 'str',
    },
)

MarketClassesItem = TypedDict(
    "MarketClassesItem",
    {
        "runtime": 'str',
        "class": 'str',
        "workers": 'int',
        "slots": 'int',
        "cpuHour": 'MarketClassesItemCpuHour',
        "gpuHour": 'Union[MarketClassesItemGpuHour, None]',
    },
)

MarketDemandItem = TypedDict(
    "MarketDemandItem",
    {
        "runtime": 'str',
        "waiting": 'int',
        "lastHour": 'int',
    },
)

Market = TypedDict(
    "Market",
    {
        "classes": 'list[MarketClassesItem]',
        "demand": 'list[MarketDemandItem]',
    },
)

NoopRuntime = TypedDict(
    "NoopRuntime",
    {
        "sleepMs": 'NotRequired[int]',
        "fail": 'NotRequired[str]',
    },
)

ObjectionRequest = TypedDict(
    "ObjectionRequest",
    {
        "cosigner": 'str',
        "reason": 'str',
        "signature": 'str',
    },
)

Output = TypedDict(
    "Output",
    {
        "taskId": 'str',
        "name": 'str',
        "digest": 'str',
        "sizeBytes": 'int',
        "href": 'str',
    },
)

OutputList = TypedDict(
    "OutputList",
    {
        "items": 'list[Output]',
    },
)

PlanPrice = TypedDict(
    "PlanPrice",
    {
        "low": 'str',
        "high": 'str',
    },
)

PlanBalance = TypedDict(
    "PlanBalance",
    {
        "available": 'str',
        "missing": 'str',
    },
)

Plan = TypedDict(
    "Plan",
    {
        "feasibleWorkers": 'int',
        "consideredWorkers": 'int',
        "removedBy": 'list[RemovedBy]',
        "tasks": 'int',
        "hold": 'str',
        "price": 'Union[PlanPrice, None]',
        "expectedStart": 'ExpectedStart',
        "balance": 'PlanBalance',
    },
)

ProblemErrorsItem = TypedDict(
    "ProblemErrorsItem",
    {
        "path": 'str',
        "message": 'str',
    },
)

Problem = TypedDict(
    "Problem",
    {
        "type": 'str',
        "title": 'str',
        "status": 'int',
        "code": 'Literal["JSON_MALFORMED", "JSON_TOO_DEEP", "JSON_DUPLICATE_KEY", "JSON_FORBIDDEN_KEY", "JSON_TOO_LARGE", "VALIDATION_FAILED", "UNSUPPORTED_MEDIA_TYPE", "NOT_FOUND", "METHOD_NOT_ALLOWED", "IDEMPOTENCY_MISMATCH", "CURSOR_INVALID", "CONFLICT", "RATE_LIMITED", "QUEUE_FULL", "TENANT_LIMIT", "UNAVAILABLE", "INTERNAL", "UNAUTHENTICATED", "FORBIDDEN", "LOGIN_REFUSED", "ORDER_REFUSED", "KEY_UNSOUND", "RUNTIME_NOT_OFFERED", "INSUFFICIENT_FUNDS", "BUDGET_EXCEEDED", "NO_PRICE", "DEADLINE_PASSED", "MODEL_INVALID", "MODEL_TOO_LARGE", "MODEL_NOT_SEEDABLE", "DATA_INVALID", "ARTIFACT_MISSING", "VERIFY_UNSUPPORTED", "PROVENANCE_TOO_LARGE", "WITNESS_REFUSED", "CREDIT_ON_CHAIN", "NO_CHAIN", "COSIGNER_REFUSED", "WEBHOOK_URL_REFUSED", "DIGEST_MISMATCH", "ARTIFACT_TOO_LARGE", "QUOTA_EXCEEDED", "RANGE_INVALID", "UPLOAD_OFFSET", "FORGOTTEN", "UPLOAD_GONE"]',
        "detail": 'str',
        "next": 'str',
        "instance": 'NotRequired[str]',
        "errors": 'NotRequired[list[ProblemErrorsItem]]',
        "missing": 'NotRequired[str]',
        "budget": 'NotRequired[ExceededBudget]',
    },
)

ProvenAttemptOutputsItem = TypedDict(
    "ProvenAttemptOutputsItem",
    {
        "name": 'str',
        "digest": 'str',
        "sizeBytes": 'int',
    },
)

ProvenAttemptVerdict = TypedDict(
    "ProvenAttemptVerdict",
    {
        "verdict": 'Literal["accepted", "rejected"]',
        "reason": 'str',
        "payer": 'Literal["submitter", "fees", "nobody"]',
    },
)

ProvenAttemptCharge = TypedDict(
    "ProvenAttemptCharge",
    {
        "price": 'str',
        "fee": 'str',
        "payer": 'Literal["submitter", "fees"]',
        "refunded": 'bool',
    },
)

ProvenAttempt = TypedDict(
    "ProvenAttempt",
    {
        "id": 'str',
        "taskId": 'str',
        "workerId": 'str',
        "number": 'int',
        "fence": 'int',
        "state": 'Literal["leased", "running", "reported", "accepted", "rejected", "disputed", "failed", "cancelled", "preempted", "lost", "stale"]',
        "reason": 'Union[str, None]',
        "runtimeClass": 'Union[str, None]',
        "receiptHash": 'Union[str, None]',
        "outputs": 'list[ProvenAttemptOutputsItem]',
        "verdict": 'Union[ProvenAttemptVerdict, None]',
        "charge": 'Union[ProvenAttemptCharge, None]',
    },
)

ProvenEvent = TypedDict(
    "ProvenEvent",
    {
        "id": 'str',
        "place": 'int',
        "at": 'str',
        "kind": 'str',
        "subject": 'str',
        "body": 'str',
        "digest": 'str',
        "chain": 'Union[str, None]',
        "path": 'list[str]',
    },
)

ProvenTaskInputsItem = TypedDict(
    "ProvenTaskInputsItem",
    {
        "digest": 'str',
        "sizeBytes": 'int',
    },
)

ProvenTask = TypedDict(
    "ProvenTask",
    {
        "id": 'str',
        "index": 'int',
        "role": 'Literal["primary", "replica", "audit", "referee"]',
        "rootId": 'str',
        "dependsOn": 'Union[str, None]',
        "state": 'Literal["queued", "leased", "running", "verifying", "succeeded", "failed", "cancelled"]',
        "payload": 'str',
        "payloadDigest": 'str',
        "seed": 'Union[int, None]',
        "inputs": 'list[ProvenTaskInputsItem]',
    },
)

ProvenanceJob = TypedDict(
    "ProvenanceJob",
    {
        "id": 'str',
        "account": 'str',
        "kind": 'str',
        "state": 'Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]',
        "hold": 'str',
        "verify": 'str',
        "createdAt": 'str',
        "finishedAt": 'Union[str, None]',
    },
)

ProvenanceSpec = TypedDict(
    "ProvenanceSpec",
    {
        "text": 'str',
        "digest": 'str',
    },
)

ProvenanceWorkersItem = TypedDict(
    "ProvenanceWorkersItem",
    {
        "id": 'str',
        "publicKey": 'str',
    },
)

ProvenanceTrail = TypedDict(
    "ProvenanceTrail",
    {
        "checkpoint": 'Checkpoint',
        "events": 'list[ProvenEvent]',
    },
)

Provenance = TypedDict(
    "Provenance",
    {
        "format": 'Literal["tidemill/provenance/1"]',
        "network": 'str',
        "job": 'ProvenanceJob',
        "spec": 'ProvenanceSpec',
        "tasks": 'list[ProvenTask]',
        "attempts": 'list[ProvenAttempt]',
        "workers": 'list[ProvenanceWorkersItem]',
        "receipts": 'list[SignedReceipt]',
        "trail": 'ProvenanceTrail',
        "ledger": 'list[LedgerEntry]',
    },
)

ReceiptFailure = TypedDict(
    "ReceiptFailure",
    {
        "code": 'str',
        "message": 'str',
        "fault": 'Literal["job", "worker"]',
    },
)

ReceiptOutputsItem = TypedDict(
    "ReceiptOutputsItem",
    {
        "name": 'str',
        "digest": 'str',
        "sizeBytes": 'int',
    },
)

ReceiptUsage = TypedDict(
    "ReceiptUsage",
    {
        "billableMs": 'int',
        "cpuMs": 'int',
        "maxRssMib": 'int',
    },
)

Receipt = TypedDict(
    "Receipt",
    {
        "network": 'str',
        "audience": 'str',
        "workerId": 'str',
        "jobId": 'str',
        "taskId": 'str',
        "attemptId": 'str',
        "fence": 'int',
        "taskDigest": 'str',
        "runtimeClass": 'str',
        "outcome": 'Literal["succeeded", "failed"]',
        "failure": 'Union[ReceiptFailure, None]',
        "outputs": 'list[ReceiptOutputsItem]',
        "commitment": 'Union[str, None]',
        "metrics": 'dict[str, str]',
        "usage": 'ReceiptUsage',
        "issuedAtMs": 'int',
        "expiresAtMs": 'int',
    },
)

ReleasedTotal = TypedDict(
    "ReleasedTotal",
    {
        "network": 'str',
        "program": 'str',
        "epoch": 'int',
        "index": 'int',
        "earned": 'str',
        "publicKey": 'str',
        "signature": 'str',
    },
)

RemovedBy = TypedDict(
    "RemovedBy",
    {
        "constraint": 'str',
        "removed": 'int',
        "relax": 'Union[str, None]',
    },
)

RerunRequest = TypedDict(
    "RerunRequest",
    {
        "from": 'NotRequired[Literal["start", "failed"]]',
        "limits": 'NotRequired[Limits]',
        "labels": 'NotRequired[Labels]',
    },
)

ResourceAmounts = TypedDict(
    "ResourceAmounts",
    {
        "gpuMilli": 'int',
        "vramMib": 'int',
        "cpuMilli": 'int',
        "memoryMib": 'int',
        "diskMib": 'int',
    },
)

Resources = TypedDict(
    "Resources",
    {
        "gpus": 'NotRequired[float]',
        "vram": 'NotRequired[str]',
        "cpu": 'NotRequired[Union[str, float]]',
        "memory": 'NotRequired[str]',
        "disk": 'NotRequired[str]',
        "gpuModels": 'NotRequired[list[str]]',
        "isolation": 'NotRequired[Literal["process", "namespaces", "sandbox"]]',
    },
)

RootStatement = TypedDict(
    "RootStatement",
    {
        "network": 'str',
        "program": 'str',
        "epoch": 'int',
        "sealedSlot": 'int',
        "workerRoot": 'str',
        "workerDepth": 'int',
        "submitterRoot": 'str',
        "submitterDepth": 'int',
        "totals": 'SettlementTotals',
        "trailRoot": 'str',
        "trailSize": 'int',
        "registryRoot": 'str',
    },
)

RotateKeyRequest = TypedDict(
    "RotateKeyRequest",
    {
        "graceSeconds": 'NotRequired[int]',
    },
)

SettlementTotals = TypedDict(
    "SettlementTotals",
    {
        "spent": 'str',
        "earned": 'str',
        "slashed": 'str',
        "refunded": 'str',
        "fees": 'str',
        "feesGiven": 'str',
        "dust": 'str',
    },
)
"""Lifetime sums over the network."""

SignedOrder = TypedDict(
    "SignedOrder",
    {
        "order": 'str',
        "signature": 'str',
        "newSignature": 'NotRequired[str]',
    },
)

SignedReceiptBatch = TypedDict(
    "SignedReceiptBatch",
    {
        "index": 'int',
        "size": 'int',
        "path": 'list[str]',
        "signature": 'str',
    },
)

SignedReceipt = TypedDict(
    "SignedReceipt",
    {
        "attemptId": 'str',
        "workerId": 'str',
        "publicKey": 'str',
        "text": 'str',
        "hash": 'str',
        "batch": 'SignedReceiptBatch',
    },
)

SubmitterProof = TypedDict(
    "SubmitterProof",
    {
        "index": 'int',
        "wallet": 'str',
        "spent": 'str',
        "refunded": 'str',
        "held": 'str',
        "epoch": 'int',
        "path": 'list[str]',
        "root": 'str',
    },
)

Task = TypedDict(
    "Task",
    {
        "id": 'str',
        "index": 'int',
        "state": 'Literal["queued", "leased", "running", "verifying", "succeeded", "failed", "cancelled"]',
        "attempts": 'list[Attempt]',
    },
)

TfjsInferenceModel = TypedDict(
    "TfjsInferenceModel",
    {
        "topology": 'Union[str, dict[str, Any]]',
        "weights": 'str',
    },
)

TfjsInferenceDataFeatures = TypedDict(
    "TfjsInferenceDataFeatures",
    {
        "columns": 'Union[Literal["*"], list[str]]',
    },
)

TfjsInferenceDataFeatures = TypedDict(
    "TfjsInferenceDataFeatures",
    {
        "array": 'str',
    },
)

TfjsInferenceDataScale = TypedDict(
    "TfjsInferenceDataScale",
    {
        "subtract": 'NotRequired[float]',
        "divide": 'NotRequired[float]',
    },
)

TfjsInferenceData = TypedDict(
    "TfjsInferenceData",
    {
        "input": 'TfjsInput',
        "features": 'TfjsInferenceDataFeatures',
        "tensor": 'NotRequired[str]',
        "scale": 'NotRequired[TfjsInferenceDataScale]',
    },
)

TfjsInferenceOutput = TypedDict(
    "TfjsInferenceOutput",
    {
        "tensor": 'NotRequired[str]',
        "labels": 'NotRequired[bool]',
    },
)

TfjsInference = TypedDict(
    "TfjsInference",
    {
        "model": 'TfjsInferenceModel',
        "data": 'TfjsInferenceData',
        "output": 'NotRequired[TfjsInferenceOutput]',
        "batchSize": 'NotRequired[int]',
    },
)

TfjsTrainingModel = TypedDict(
    "TfjsTrainingModel",
    {
        "topology": 'Union[str, dict[str, Any]]',
        "weights": 'NotRequired[str]',
    },
)

TfjsTrainingDataFeatures = TypedDict(
    "TfjsTrainingDataFeatures",
    {
        "columns": 'Union[Literal["*"], list[str]]',
    },
)

TfjsTrainingDataFeatures = TypedDict(
    "TfjsTrainingDataFeatures",
    {
        "array": 'str',
    },
)

TfjsTrainingDataLabel = TypedDict(
    "TfjsTrainingDataLabel",
    {
        "column": 'str',
        "classes": 'NotRequired[int]',
    },
)

TfjsTrainingDataLabel = TypedDict(
    "TfjsTrainingDataLabel",
    {
        "array": 'str',
        "classes": 'NotRequired[int]',
    },
)

TfjsTrainingDataScale = TypedDict(
    "TfjsTrainingDataScale",
    {
        "subtract": 'NotRequired[float]',
        "divide": 'NotRequired[float]',
    },
)

TfjsTrainingData = TypedDict(
    "TfjsTrainingData",
    {
        "train": 'TfjsInput',
        "features": 'TfjsTrainingDataFeatures',
        "label": 'TfjsTrainingDataLabel',
        "scale": 'NotRequired[TfjsTrainingDataScale]',
        "shuffle": 'NotRequired[bool]',
        "validation": 'NotRequired[float]',
    },
)

TfjsTrainingOptimizer11 = TypedDict(
    "TfjsTrainingOptimizer11",
    {
        "type": 'Literal["sgd"]',
        "learningRate": 'float',
    },
)

TfjsTrainingOptimizer12 = TypedDict(
    "TfjsTrainingOptimizer12",
    {
        "type": 'Literal["momentum"]',
        "learningRate": 'float',
        "momentum": 'NotRequired[float]',
        "nesterov": 'NotRequired[bool]',
    },
)

TfjsTrainingOptimizer13 = TypedDict(
    "TfjsTrainingOptimizer13",
    {
        "type": 'Literal["rmsprop"]',
        "learningRate": 'float',
        "decay": 'NotRequired[float]',
        "momentum": 'NotRequired[float]',
        "epsilon": 'NotRequired[float]',
    },
)

TfjsTrainingOptimizer14 = TypedDict(
    "TfjsTrainingOptimizer14",
    {
        "type": 'Literal["adam"]',
        "learningRate": 'NotRequired[float]',
        "beta1": 'NotRequired[float]',
        "beta2": 'NotRequired[float]',
        "epsilon": 'NotRequired[float]',
    },
)

TfjsTraining = TypedDict(
    "TfjsTraining",
    {
        "model": 'TfjsTrainingModel',
        "data": 'TfjsTrainingData',
        "loss": 'Literal["categoricalCrossentropy", "sparseCategoricalCrossentropy", "binaryCrossentropy", "meanSquaredError", "meanAbsoluteError"]',
        "optimizer": 'NotRequired[Union[Union[TfjsTrainingOptimizer11, TfjsTrainingOptimizer12, TfjsTrainingOptimizer13, TfjsTrainingOptimizer14], Literal["adam"], Literal["sgd"], Literal["rmsprop"], Literal["momentum"]]]',
        "metrics": 'NotRequired[list[Literal["accuracy", "meanAbsoluteError", "meanSquaredError"]]]',
        "epochs": 'int',
        "batchSize": 'NotRequired[int]',
        "seed": 'NotRequired[int]',
    },
)

TrailEvent = TypedDict(
    "TrailEvent",
    {
        "id": 'str',
        "place": 'Union[int, None]',
        "at": 'str',
        "kind": 'str',
        "subject": 'str',
        "body": 'str',
        "digest": 'str',
        "chain": 'Union[str, None]',
    },
)

TrailPage = TypedDict(
    "TrailPage",
    {
        "items": 'list[TrailEvent]',
        "nextCursor": 'Union[str, None]',
    },
)

Upload = TypedDict(
    "Upload",
    {
        "id": 'str',
        "offset": 'int',
        "sizeBytes": 'int',
        "expiresAt": 'str',
    },
)

VerifyApplied = TypedDict(
    "VerifyApplied",
    {
        "applied": 'str',
    },
)

Webhook = TypedDict(
    "Webhook",
    {
        "id": 'str',
        "url": 'str',
        "events": 'list[Literal["job.running", "job.hold-low", "job.succeeded", "job.failed", "job.cancelled", "job.expired", "balance.low", "key.created", "key.revoked", "worker.online", "worker.draining", "worker.offline", "worker.suspended"]]',
        "enabled": 'bool',
        "createdAt": 'str',
        "failingSince": 'Union[str, None]',
        "disabledAt": 'Union[str, None]',
    },
)

WebhookDeliveryTriesItem = TypedDict(
    "WebhookDeliveryTriesItem",
    {
        "number": 'int',
        "at": 'str',
        "ms": 'int',
        "status": 'Union[int, None]',
        "error": 'Union[str, None]',
    },
)

WebhookDelivery = TypedDict(
    "WebhookDelivery",
    {
        "id": 'str',
        "event": 'str',
        "type": 'str',
        "at": 'str',
        "state": 'Literal["pending", "delivered", "failed"]',
        "nextTryAt": 'Union[str, None]',
        "tries": 'list[WebhookDeliveryTriesItem]',
    },
)

WebhookDeliveryPage = TypedDict(
    "WebhookDeliveryPage",
    {
        "items": 'list[WebhookDelivery]',
        "nextCursor": 'Union[str, None]',
    },
)

WebhookPage = TypedDict(
    "WebhookPage",
    {
        "items": 'list[Webhook]',
        "nextCursor": 'Union[str, None]',
    },
)

WebhookWithSecret = TypedDict(
    "WebhookWithSecret",
    {
        "id": 'str',
        "url": 'str',
        "events": 'list[Literal["job.running", "job.hold-low", "job.succeeded", "job.failed", "job.cancelled", "job.expired", "balance.low", "key.created", "key.revoked", "worker.online", "worker.draining", "worker.offline", "worker.suspended"]]',
        "enabled": 'bool',
        "createdAt": 'str',
        "failingSince": 'Union[str, None]',
        "disabledAt": 'Union[str, None]',
        "secret": 'str',
        "previousUntil": 'Union[str, None]',
    },
)

WitnessedCheckpointWitnessesItem = TypedDict(
    "WitnessedCheckpointWitnessesItem",
    {
        "publicKey": 'str',
        "at": 'str',
        "signature": 'str',
    },
)

WitnessedCheckpoint = TypedDict(
    "WitnessedCheckpoint",
    {
        "size": 'int',
        "root": 'str',
        "chain": 'str',
        "at": 'str',
        "network": 'str',
        "publicKey": 'str',
        "signature": 'str',
        "witnesses": 'list[WitnessedCheckpointWitnessesItem]',
    },
)

WorkerAsks = TypedDict(
    "WorkerAsks",
    {
        "gpuHour": 'str',
        "cpuHour": 'str',
    },
)

WorkerResults = TypedDict(
    "WorkerResults",
    {
        "accepted": 'int',
        "rejected": 'int',
        "failed": 'int',
        "lost": 'int',
    },
)

Worker = TypedDict(
    "Worker",
    {
        "id": 'str',
        "name": 'str',
        "publicKey": 'str',
        "state": 'Literal["online", "draining", "lost", "suspended"]',
        "capabilities": 'Capabilities',
        "resources": 'ResourceAmounts',
        "slots": 'int',
        "asks": 'WorkerAsks',
        "running": 'int',
        "operator": 'Union[str, None]',
        "joinedAt": 'str',
        "lastSeenAt": 'Union[str, None]',
        "earned": 'str',
        "pending": 'str',
        "results": 'WorkerResults',
    },
)

WorkerOwnerPayoutChange = TypedDict(
    "WorkerOwnerPayoutChange",
    {
        "payout": 'str',
        "at": 'str',
    },
)

WorkerOwner = TypedDict(
    "WorkerOwner",
    {
        "publicKey": 'str',
        "payout": 'str',
        "payoutChange": 'Union[WorkerOwnerPayoutChange, None]',
    },
)

WorkerPage = TypedDict(
    "WorkerPage",
    {
        "items": 'list[Worker]',
        "nextCursor": 'Union[str, None]',
    },
)

WorkerProof = TypedDict(
    "WorkerProof",
    {
        "index": 'int',
        "payee": 'str',
        "earned": 'str',
        "slashed": 'str',
        "epoch": 'int',
        "path": 'list[str]',
        "root": 'str',
    },
)

Labels = dict[str, str]

TfjsInput = TypedDict(
    "TfjsInput",
    {
        "csv": 'str',
    },
)

TfjsInput = TypedDict(
    "TfjsInput",
    {
        "arrays": 'dict[str, str]',
    },
)

TfjsInput = TfjsInput

Verify1 = TypedDict(
    "Verify1",
    {
        "class": 'Literal["standard", "none"]',
    },
)

Verify2 = TypedDict(
    "Verify2",
    {
        "replicate": 'int',
    },
)

Verify = Union[Verify1, Verify2, Literal["standard", "none"]]
