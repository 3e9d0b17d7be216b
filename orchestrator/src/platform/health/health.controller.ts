import { Controller, Get, Res } from '@nestjs/common';
import { openApiDocument } from '@tidemill/protocol';
import type { Response } from 'express';
import { createRequire } from 'node:module';
import { Db } from '../db/db.js';
import { Telemetry } from '../telemetry/telemetry.js';

const API_VERSION = '0.1.0';
const READY_WITHIN_MS = 2_000;

/** What machines ask of the process itself, and the description of the API. */
@Controller()
export class HealthController {
  private readonly document = JSON.stringify(openApiDocument(API_VERSION));

  constructor(
    private readonly db: Db,
    private readonly telemetry: Telemetry,
  ) {}

  /** The process runs. */
  @Get('livez')
  live(): { status: string } {
    return { status: 'live' };
  }

  /** The process can do its work: the database answers in time. */
  @Get('readyz')
  async ready(@Res() response: Response): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), READY_WITHIN_MS);
    });
    try {
      await Promise.race([this.db.query('SELECT 1'), late]);
      response.status(200).json({ status: 'ready' });
    } catch {
      response.status(503).json({ status: 'not ready', reason: 'the database does not answer' });
    } finally {
      clearTimeout(timer);
    }
  }

  @Get('metrics')
  async metrics(@Res() response: Response): Promise<void> {
    response
      .type(this.telemetry.registry.contentType)
      .send(await this.telemetry.registry.metrics());
  }

  @Get('openapi.json')
  openapi(@Res() response: Response): void {
    response.type('application/json').send(this.document);
  }

  /** The API page; its files come from this server, so it works without the internet. */
  @Get('docs')
  docs(@Res() response: Response): void {
    response.type('html').send(DOCS_PAGE);
  }
}

/** Folder of the API page's script and style. */
export const DOCS_ASSETS = createRequire(import.meta.url)
  .resolve('swagger-ui-dist/package.json')
  .replace(/package\.json$/, '');

const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tidemill API</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></body>
</html>
`;
/** Starts the page; a file of its own, so that the content policy can refuse inline scripts. */
export const DOCS_START = `window.ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: false });\n`;
