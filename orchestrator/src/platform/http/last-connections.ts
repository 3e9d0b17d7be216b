import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';

/** Requests that run when the process is asked to stop have this long to end. */
const GRACE_MS = 4_000;

/** Cuts connections that would keep a stopping process alive, such as an upload that does not go on. */
@Injectable()
export class LastConnections implements BeforeApplicationShutdown {
  constructor(private readonly host: HttpAdapterHost) {}

  beforeApplicationShutdown(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server; // Express listens with node:http
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  }
}
