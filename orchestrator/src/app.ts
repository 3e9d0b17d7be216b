import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import express, { type NextFunction, type Request, type Response } from 'express';
import { AppModule } from './app.module.js';
import type { Config } from './config/env.js';
import { migrate } from './platform/db/migrate.js';
import { WorkerWsAdapter } from './gateway/worker-ws.adapter.js';
import { DOCS_ASSETS, DOCS_START } from './platform/health/health.controller.js';
import { countRequests } from './platform/http/count-requests.js';
import { boundServer, documentDeadline } from './platform/http/server-limits.js';
import { jsonBody } from './platform/http/json-body.js';
import { Telemetry } from './platform/telemetry/telemetry.js';

/** Brings the database up to date and builds the application; the caller listens and closes. */
export async function createApp(config: Config): Promise<NestExpressApplication> {
  await migrate(config.databaseUrl);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config), {
    bodyParser: false,
    logger: ['error', 'fatal'],
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.set('query parser', 'simple'); // nested objects in a query are nobody's need here
  boundServer(app.getHttpServer());
  app.use(documentDeadline());
  app.use(countRequests(app.get(Telemetry)));
  app.use(securityHeaders);
  app.use('/docs/assets', express.static(DOCS_ASSETS, { index: false, dotfiles: 'deny' }));
  app.use('/docs/start.js', (_request: Request, response: Response) =>
    response.type('text/javascript').send(DOCS_START),
  );
  app.use(...jsonBody());
  app.useWebSocketAdapter(new WorkerWsAdapter(app));
  // A stop that was asked for is a success: the process ends with 0, not by the signal it has answered.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  return app;
}

function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader(
    'Content-Security-Policy',
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
  );
  response.setHeader('Referrer-Policy', 'no-referrer');
  next();
}
