import { EpochChargeLine, SubmitterLeafLine, WorkerLeafLine } from '@tidemill/protocol';
import { type Api, bodyOf } from './api.js';
import { linesOf } from './lines.js';
import { everyItem } from './pages.js';
import type { Transport } from './transport.js';
import type { Epoch, EpochState, ReleasedTotal, SubmitterProof, WorkerProof } from './types.js';

/** What is paid together on chain. Public, but for the charges, which name jobs and submitters. */
export class Epochs {
  constructor(
    private readonly api: Api,
    private readonly transport: Transport,
    private readonly baseUrl: string,
  ) {}

  /** Newest first. */
  list(filter: { readonly state?: EpochState } = {}): AsyncGenerator<Epoch> {
    return everyItem(async (paging) =>
      bodyOf(await this.api.GET('/v1/epochs', { params: { query: { ...paging, ...filter } } })),
    );
  }

  async get(number: number): Promise<Epoch> {
    return bodyOf(await this.api.GET('/v1/epochs/{number}', { params: { path: { number } } }));
  }

  /** All leaves of the workers' tree, in the order of their indexes. @throws ZodError when a line is none */
  async *workerLeaves(number: number): AsyncGenerator<WorkerLeafLine> {
    for await (const line of this.lines(number, 'leaves?tree=workers'))
      yield WorkerLeafLine.parse(JSON.parse(line));
  }

  /** All leaves of the submitters' tree, in the order of their indexes. @throws ZodError when a line is none */
  async *submitterLeaves(number: number): AsyncGenerator<SubmitterLeafLine> {
    for await (const line of this.lines(number, 'leaves?tree=submitters'))
      yield SubmitterLeafLine.parse(JSON.parse(line));
  }

  /** The charges that joined an epoch, with their receipts. @throws ZodError when a line is none */
  async *charges(number: number): AsyncGenerator<EpochChargeLine> {
    for await (const line of this.lines(number, 'charges'))
      yield EpochChargeLine.parse(JSON.parse(line));
  }

  /** A co-signer agrees with a sealed epoch. */
  async attest(number: number, cosigner: string, signature: string): Promise<Epoch> {
    return bodyOf(
      await this.api.POST('/v1/epochs/{number}/attestations', {
        params: { path: { number } },
        body: { cosigner, signature },
      }),
    );
  }

  /** A co-signer does not agree with a sealed epoch. */
  async object(
    number: number,
    objection: { readonly cosigner: string; readonly reason: string; readonly signature: string },
  ): Promise<Epoch> {
    return bodyOf(
      await this.api.POST('/v1/epochs/{number}/objections', {
        params: { path: { number } },
        body: objection,
      }),
    );
  }

  /** A worker's leaf of an epoch, with the proof that a claim shows. */
  async workerProof(number: number, id: string): Promise<WorkerProof> {
    const path = { number, id };
    return bodyOf(await this.api.GET('/v1/epochs/{number}/workers/{id}', { params: { path } }));
  }

  /** A submitter's leaf of an epoch, with the proof that a withdrawal shows. */
  async submitterProof(number: number, wallet: string): Promise<SubmitterProof> {
    const path = { number, wallet };
    return bodyOf(
      await this.api.GET('/v1/epochs/{number}/submitters/{wallet}', { params: { path } }),
    );
  }

  /** What was released to a worker, signed: with it anybody can void a root that says less. */
  async released(id: string): Promise<ReleasedTotal> {
    const path = { id };
    return bodyOf(await this.api.GET('/v1/workers/{id}/released', { params: { path } }));
  }

  /** For the operator: seals the open epoch now. */
  async seal(): Promise<Epoch> {
    return bodyOf(await this.api.POST('/v1/admin/epochs/seal'));
  }

  private lines(number: number, what: string): AsyncGenerator<string> {
    return linesOf(this.transport, `${this.baseUrl}/v1/epochs/${number}/${what}`);
  }
}
