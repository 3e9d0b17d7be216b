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
import { Peers } from './platform/limits/peers.js';
import { RateLimits } from './platform/limits/rate-limits.js';
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
  boundServer(app.getHttpServer(), app.get(Peers));
  app.use(countRequests(app.get(Telemetry)));
  app.use(securityHeaders);
  allowOrigins(app, config.corsOrigins);
  app.use(app.get(RateLimits).beforeReading);
  app.use(documentDeadline());
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

const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy':
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  // What a key may read is nobody else's to keep. An answer that may be kept says so itself.
  'Cache-Control': 'no-store',
};

function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  next();
}

const SHOWN_HEADERS = ['Retry-After', 'Upload-Offset', 'Upload-Length', 'Content-Range', 'ETag'];
/** How long a browser may remember what it was allowed. */
const PREFLIGHT_S = 600;

/** Pages of these origins may use the API. Keys travel in a header that a page sets itself: no cookie ever speaks for a visitor. */
function allowOrigins(app: NestExpressApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.enableCors({
    origin: origins.includes('*') ? '*' : [...origins],
    credentials: false,
    exposedHeaders: SHOWN_HEADERS,
    maxAge: PREFLIGHT_S,
  });
}
