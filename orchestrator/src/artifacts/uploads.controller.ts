import { Controller, Req, Res } from '@nestjs/common';
import type { UploadView } from '@tidemill/protocol';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { keeperOf } from './owner.js';
import { streamBody } from './request-body.js';
import { UploadsService } from './uploads.service.js';

type View = z.infer<typeof UploadView>;

/** Artifacts in parts: start, ask how far, send the next bytes. */
@Controller()
export class UploadsController {
  constructor(private readonly uploads: UploadsService) {}

  @Operation('createUpload')
  async createUpload(
    @Input() { body, caller }: InputOf<'createUpload'>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    const upload = await this.uploads.create(keeperOf(caller), body.digest, body.sizeBytes);
    response.setHeader('Location', `/v1/artifacts/uploads/${upload.id}`);
    return withOffset(response, upload);
  }

  /** Answers HEAD as well, which Express sends here: the offset is in a header. */
  @Operation('getUpload')
  async getUpload(
    @Input() { params, caller }: InputOf<'getUpload'>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    return withOffset(response, await this.uploads.progress(keeperOf(caller), params.id));
  }

  @Operation('appendUpload')
  async appendUpload(
    @Input() { params, headers, caller }: InputOf<'appendUpload'>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    const upload = await streamBody(request, (source, declaredBytes) =>
      this.uploads.append(
        keeperOf(caller),
        params.id,
        headers['upload-offset'],
        source,
        declaredBytes,
      ),
    );
    return withOffset(response, upload);
  }
}

function withOffset(response: Response, upload: View): View {
  response.setHeader('Upload-Offset', upload.offset);
  response.setHeader('Cache-Control', 'no-store');
  return upload;
}
