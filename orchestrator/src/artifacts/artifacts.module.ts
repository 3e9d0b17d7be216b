import { Module } from '@nestjs/common';
import { join } from 'node:path';
import { Config } from '../config/env.js';
import { ArtifactStore } from './artifact.store.js';
import { ArtifactsController } from './artifacts.controller.js';
import { ArtifactsLoop } from './artifacts.loop.js';
import { ArtifactsService } from './artifacts.service.js';
import { FolderArtifactStore } from './folder-artifact.store.js';
import { GrantsStore } from './grants.store.js';
import { IntakeService } from './intake.service.js';
import { ArtifactLimits, DEFAULT_LIMITS } from './limits.js';
import { PgGrantsStore } from './pg-grants.store.js';
import { PgUploadsStore } from './pg-uploads.store.js';
import { Quota } from './quota.js';
import { RemovalService } from './removal.service.js';
import { UploadsController } from './uploads.controller.js';
import { UploadsService } from './uploads.service.js';
import { UploadsStore } from './uploads.store.js';

/**
 * Artifacts: bytes under their digest, and who may read them.
 *
 * Reads:    artifacts, their grants, usage and uploads; the bytes in the store.
 * Writes:   the same.
 * Promises: exactly the bytes of a digest or nothing; a digest alone opens nothing, and nobody learns what others have stored;
 *           no owner stores more than its quota; what nobody has a right to is deleted.
 */
@Module({
  controllers: [UploadsController, ArtifactsController],
  providers: [
    {
      provide: ArtifactStore,
      useFactory: (config: Config) => FolderArtifactStore.open(join(config.dataDir, 'artifacts')),
      inject: [Config],
    },
    { provide: ArtifactLimits, useValue: DEFAULT_LIMITS },
    { provide: GrantsStore, useClass: PgGrantsStore },
    { provide: UploadsStore, useClass: PgUploadsStore },
    ArtifactsLoop,
    ArtifactsService,
    IntakeService,
    Quota,
    RemovalService,
    UploadsService,
  ],
  exports: [ArtifactsService, IntakeService, RemovalService],
})
export class ArtifactsModule {}
