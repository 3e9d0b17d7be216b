import { Inject, Injectable } from '@nestjs/common';
import type { VerifyPlan } from '@tidemill/core/job';
import { acceptTfjs, type TfjsFacts } from '@tidemill/core/tfjs';
import { auditedSegments } from '@tidemill/core/verification';
import {
  Digest,
  MAX_TOPOLOGY_BYTES,
  parseDuration,
  parseJson,
  surveyTable,
  TfjsInferenceSpec,
  TfjsTrainingSpec,
  utf8ToBytes,
  type AccountId,
  type JobSpec,
  type TableFiles,
  type TfjsInput,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { ArtifactsService, ArtifactTooLargeError } from '../artifacts/artifacts.service.js';
import { IntakeService } from '../artifacts/intake.service.js';
import { auditDraw } from '../platform/audit-draw.js';
import { ProblemError } from '../platform/http/problem.js';
import { SIGNER } from '../platform/platform.module.js';
import type { TaskDraft } from './draft.js';

/** Data sets are read once when a job is accepted, on the event loop: 16 MiB of CSV take about a third of a second. */
const MAX_SURVEYED_BYTES = 16 * 1024 * 1024;

/** Segments of a training job that `standard` executes again (B.8). */
const AUDITED_SEGMENTS = 2;

/** Reads the files a tfjs job names and cuts it into tasks. */
@Injectable()
export class TfjsDrafter {
  constructor(
    private readonly artifacts: ArtifactsService,
    private readonly intake: IntakeService,
    @Inject(SIGNER) private readonly signer: Signer,
  ) {}

  async tasksOf(spec: JobSpec, verify: VerifyPlan, accountId: AccountId): Promise<TaskDraft[]> {
    const block = exactSpec(spec);
    const digests = namedDigests(block);
    const sizes = await this.sizesOf(digests, accountId);
    const facts = await this.factsOf(block, sizes);
    const accepted = acceptTfjs(block, facts, {
      mustRepeat: verify.method !== 'none',
      ...(spec.checkpoint === undefined
        ? {}
        : { checkpointEveryMs: parseDuration(spec.checkpoint.every) ?? 60_000 }),
    });
    if (!accepted.ok) {
      const path = ['body', 'runtime', 'tfjs', ...accepted.path].join('.');
      throw new ProblemError(accepted.code, `${path}: ${accepted.message}`, {
        errors: [{ path, message: accepted.message }],
      });
    }
    const { plan } = accepted;
    const topology = utf8ToBytes(plan.topology.json);
    await this.intake.put(
      { kind: 'account', id: accountId },
      plan.topology.digest,
      oneChunk(topology),
    );
    sizes.set(plan.topology.digest, topology.length);

    const audited = this.audits(
      plan.kind,
      plan.tasks.length,
      verify,
      plan.topology.digest,
      accountId,
    );
    return plan.tasks.map((task, index) => ({
      payload: JSON.stringify({ runtime: 'tfjs', tfjs: task }),
      inputs: [
        plan.topology.digest,
        ...digests.filter((digest) => digest !== block.model.topology),
      ].map((digest) => ({
        digest,
        sizeBytes: sizes.get(digest) ?? 0,
      })),
      dependsOn: task.type === 'tfjs.train' && index > 0 ? index - 1 : null,
      audited: audited.has(index),
    }));
  }

  private audits(
    kind: string,
    tasks: number,
    verify: VerifyPlan,
    topology: string,
    accountId: string,
  ): ReadonlySet<number> {
    if (verify.method !== 'audit' || verify.ratePpm === 0 || kind !== 'training') return new Set();
    const draw = auditDraw(this.signer);
    return new Set(
      auditedSegments(tasks, AUDITED_SEGMENTS, (index) =>
        draw(`${accountId} ${topology} ${index}`),
      ),
    );
  }

  /** Sizes of the named artifacts. What is not stored and what is not the submitter's to read look the same. */
  private async sizesOf(
    digests: readonly Digest[],
    accountId: AccountId,
  ): Promise<Map<Digest, number>> {
    const owned = await this.artifacts.ownedBy(accountId, digests);
    const missing = digests.find((digest) => !owned.has(digest));
    if (missing !== undefined)
      throw new ProblemError('ARTIFACT_MISSING', `${missing} is not among your artifacts.`);
    const stored = await this.artifacts.stat(digests);
    return new Map([...stored].map(([digest, { sizeBytes }]) => [digest, sizeBytes]));
  }

  private async factsOf(
    block: TfjsTrainingSpec | TfjsInferenceSpec,
    sizes: ReadonlyMap<Digest, number>,
  ): Promise<TfjsFacts> {
    const input = 'train' in block.data ? block.data.train : block.data.input;
    const files = await this.filesOf(input, sizes);
    const label = 'label' in block.data ? block.data.label : undefined;
    const { topology, weights } = block.model;
    return {
      model: {
        ...(typeof topology === 'string' ? { topology: await this.readTopology(topology) } : {}),
        weightsBytes: weights === undefined ? undefined : sizes.get(weights),
      },
      data: surveyTable(files, { features: block.data.features, label }),
    };
  }

  private async filesOf(input: TfjsInput, sizes: ReadonlyMap<Digest, number>): Promise<TableFiles> {
    const digests = 'csv' in input ? [input.csv] : Object.values(input.arrays);
    const bytes = digests.reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
    if (bytes > MAX_SURVEYED_BYTES) {
      throw new ProblemError(
        'DATA_INVALID',
        `The data is ${bytes} bytes; the limit of this runtime is ${MAX_SURVEYED_BYTES}.`,
      );
    }
    const read = (digest: Digest) => this.read(digest, MAX_SURVEYED_BYTES, 'DATA_INVALID');
    if ('csv' in input) return { csv: await read(input.csv) };
    const arrays: Record<string, Uint8Array> = {};
    for (const [name, digest] of Object.entries(input.arrays)) arrays[name] = await read(digest);
    return { arrays };
  }

  private async readTopology(digest: Digest): Promise<unknown> {
    const bytes = await this.read(digest, MAX_TOPOLOGY_BYTES, 'MODEL_TOO_LARGE');
    const json = parseJson(Buffer.from(bytes).toString('utf8'), MAX_TOPOLOGY_BYTES);
    if (!json.ok)
      throw new ProblemError(
        'MODEL_INVALID',
        `The topology ${digest} is not JSON we take: ${json.message}`,
      );
    return json.value;
  }

  /** The whole artifact, or what is wrong with it in the submitter's words. */
  private async read(
    digest: Digest,
    maxBytes: number,
    tooLarge: 'MODEL_TOO_LARGE' | 'DATA_INVALID',
  ): Promise<Uint8Array> {
    try {
      return await this.artifacts.readAll(digest, maxBytes);
    } catch (cause) {
      if (!(cause instanceof ArtifactTooLargeError)) throw cause;
      throw new ProblemError(tooLarge, `${cause.message}.`, {}, { cause });
    }
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** The block by the schema of the job's kind, for messages that name the right members. */
function exactSpec(spec: JobSpec): TfjsTrainingSpec | TfjsInferenceSpec {
  if (spec.kind === 'batch')
    throw new ProblemError(
      'VALIDATION_FAILED',
      'body.kind: the tfjs runtime runs training and inference jobs',
    );
  const parsed = (spec.kind === 'training' ? TfjsTrainingSpec : TfjsInferenceSpec).safeParse(
    spec.runtime.tfjs,
  );
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    path: ['body', 'runtime', 'tfjs', ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  throw new ProblemError('VALIDATION_FAILED', `${errors[0]?.path}: ${errors[0]?.message}`, {
    errors,
  });
}

function namedDigests(block: TfjsTrainingSpec | TfjsInferenceSpec): Digest[] {
  const input = 'train' in block.data ? block.data.train : block.data.input;
  const { topology, weights } = block.model;
  return [
    ...('csv' in input ? [input.csv] : Object.values(input.arrays)),
    ...(typeof topology === 'string' ? [topology] : []),
    ...(weights === undefined ? [] : [weights]),
  ];
}
