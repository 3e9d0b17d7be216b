import { Controller, Res } from '@nestjs/common';
import type {
  EpochView,
  ReleasedTotalView,
  SubmitterProofView,
  WorkerProofView,
} from '@tidemill/protocol';
import type { Response } from 'express';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import type { Page } from '../platform/http/page.js';
import { ProblemError } from '../platform/http/problem.js';
import { Attestations } from './attestations.js';
import { EpochLines } from './epoch-lines.js';
import { EpochViews } from './epoch-views.js';
import { Proofs } from './proofs.js';
import { SealingService } from './sealing.service.js';

const REFUSALS = {
  'under-way': 'The epoch before is not final yet.',
  'not-due': 'It has not lasted long enough.',
  'trail-unsigned': 'The trail does not have all of it yet; ask again in some seconds.',
} as const;

/** Epochs over HTTP: public but for receipts, so that anybody can check what was sealed. */
@Controller()
export class SettlementController {
  constructor(
    private readonly views: EpochViews,
    private readonly lines: EpochLines,
    private readonly attestations: Attestations,
    private readonly proofs: Proofs,
    private readonly sealing: SealingService,
  ) {}

  @Operation('listEpochs')
  list(@Input() { query }: InputOf<'listEpochs'>): Promise<Page<EpochView>> {
    return this.views.list(query);
  }

  @Operation('getEpoch')
  get(@Input() { params }: InputOf<'getEpoch'>): Promise<EpochView> {
    return this.views.one(params.number);
  }

  @Operation('listEpochLeaves')
  leaves(
    @Input() { params, query }: InputOf<'listEpochLeaves'>,
    @Res() response: Response,
  ): Promise<void> {
    return this.lines.leaves(params.number, query.tree, response);
  }

  @Operation('listEpochCharges')
  charges(
    @Input() { caller, params }: InputOf<'listEpochCharges'>,
    @Res() response: Response,
  ): Promise<void> {
    return this.lines.charges(params.number, accountOf(caller).wallet, response);
  }

  @Operation('attestEpoch')
  async attest(@Input() { params, body }: InputOf<'attestEpoch'>): Promise<EpochView> {
    await this.attestations.attest(params.number, body);
    return this.views.one(params.number);
  }

  @Operation('objectToEpoch')
  async object(@Input() { params, body }: InputOf<'objectToEpoch'>): Promise<EpochView> {
    await this.attestations.object(params.number, body);
    return this.views.one(params.number);
  }

  @Operation('getWorkerProof')
  worker(@Input() { params }: InputOf<'getWorkerProof'>): Promise<WorkerProofView> {
    return this.proofs.ofWorker(params.number, params.id);
  }

  @Operation('getSubmitterProof')
  submitter(@Input() { params }: InputOf<'getSubmitterProof'>): Promise<SubmitterProofView> {
    return this.proofs.ofSubmitter(params.number, params.wallet);
  }

  @Operation('getReleasedTotal')
  released(@Input() { params }: InputOf<'getReleasedTotal'>): Promise<ReleasedTotalView> {
    return this.proofs.released(params.id);
  }

  @Operation('sealEpoch')
  async seal(): Promise<EpochView> {
    const sealed = await this.sealing.seal({ whenDue: false });
    if (sealed.ok) return this.views.one(Number(sealed.number));
    if (sealed.reason === 'no-chain')
      throw new ProblemError('NO_CHAIN', 'There are no epochs here.');
    throw new ProblemError('CONFLICT', REFUSALS[sealed.reason]);
  }
}
