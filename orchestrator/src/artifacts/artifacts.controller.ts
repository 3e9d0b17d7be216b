import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { ArtifactView } from '@tidemill/protocol';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { pipeline } from 'node:stream/promises';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { ProblemError } from '../platform/http/problem.js';
import { LOGGER } from '../platform/platform.module.js';
import { ArtifactsService } from './artifacts.service.js';
import { IntakeService } from './intake.service.js';
import { keeperOf } from './owner.js';
import { answerFor, etagOf, type ReadAnswer } from './range.js';
import { received } from './received.js';
import { RemovalService } from './removal.service.js';
import { IDLE_MS, streamBody } from './request-body.js';
import { DamagedArtifactError } from './verified.js';

/** Artifacts, whole: put, read and given up. */
@Controller()
export class ArtifactsController {
  constructor(
    private readonly artifacts: ArtifactsService,
    private readonly intake: IntakeService,
    private readonly removal: RemovalService,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Operation('putArtifact')
  async putArtifact(
    @Input() { params, caller }: InputOf<'putArtifact'>,
    @Req() request: Request,
  ): Promise<ArtifactView> {
    return await streamBody(request, (source, declaredBytes) =>
      this.intake.put(keeperOf(caller), params.digest, received(source), declaredBytes),
    );
  }

  /** Answers HEAD as well, which Express sends here. */
  @Operation('getArtifact')
  async getArtifact(
    @Input() { params, headers, caller }: InputOf<'getArtifact'>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const artifact = await this.artifacts.readable(caller, params.digest);
    if (artifact === null)
      throw new ProblemError('NOT_FOUND', 'There is no such artifact that you may read.');
    const answer = answerFor(
      {
        method: request.method,
        range: headers.range,
        ifRange: request.header('if-range'),
        ifNoneMatch: request.header('if-none-match'),
      },
      artifact.digest,
      artifact.sizeBytes,
    );
    describe(response, answer, etagOf(artifact.digest), artifact.sizeBytes);
    if (answer.status === 416) {
      throw new ProblemError('RANGE_INVALID', `The artifact has ${artifact.sizeBytes} bytes.`);
    }
    if (answer.status === 304 || request.method === 'HEAD') {
      response.end();
      return;
    }
    await this.send(
      await this.artifacts.open(artifact, answer.status === 206 ? answer.range : undefined),
      response,
    );
  }

  @Operation('deleteArtifact')
  async deleteArtifact(@Input() { params, caller }: InputOf<'deleteArtifact'>): Promise<void> {
    await this.removal.remove(accountOf(caller).accountId, params.digest);
  }

  private async send(source: AsyncIterable<Uint8Array>, response: Response): Promise<void> {
    response.setTimeout(IDLE_MS, () => response.destroy());
    try {
      await pipeline(source, response);
    } catch (err) {
      // The status is out: all that is left is to break off, which `pipeline` has done, so that nobody takes this for the whole.
      if (err instanceof DamagedArtifactError)
        this.log.error({ err, digest: err.digest }, 'artifact damaged');
      else this.log.debug({ err }, 'artifact not read to its end');
    }
  }
}

function describe(response: Response, answer: ReadAnswer, etag: string, sizeBytes: number): void {
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (answer.status === 416) {
    response.setHeader('Content-Range', `bytes */${sizeBytes}`);
    return;
  }
  response.status(answer.status);
  response.setHeader('ETag', etag);
  // A proxy may not keep what only some may read, nor change bytes that are checked.
  response.setHeader('Cache-Control', 'private, no-transform, max-age=31536000, immutable');
  if (answer.status === 304) return;
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', 'attachment');
  if (answer.status === 200) {
    response.setHeader('Content-Length', sizeBytes);
    return;
  }
  const { first, last } = answer.range;
  response.setHeader('Content-Range', `bytes ${first}-${last}/${sizeBytes}`);
  response.setHeader('Content-Length', last - first + 1);
}
