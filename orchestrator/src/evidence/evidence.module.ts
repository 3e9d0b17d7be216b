import { Module } from '@nestjs/common';
import { TrailModule } from '../trail/trail.module.js';
import { EvidenceController } from './evidence.controller.js';
import { ProvenanceRows } from './provenance-rows.js';
import { ProvenanceService } from './provenance.service.js';

/**
 * Evidence: what proves a job to whoever does not trust us.
 *
 * Reads:    all that the stages before it wrote of a job, and the trail.
 * Writes:   nothing.
 * Promises: a bundle verifies without the network, and only its submitter gets it (G18).
 */
@Module({
  imports: [TrailModule],
  controllers: [EvidenceController],
  providers: [ProvenanceRows, ProvenanceService],
})
export class EvidenceModule {}
