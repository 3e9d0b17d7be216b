import { Controller } from '@nestjs/common';
import type { Provenance, SignedReceipt } from '@tidemill/protocol';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { ProvenanceService } from './provenance.service.js';

@Controller()
export class EvidenceController {
  constructor(private readonly provenance: ProvenanceService) {}

  @Operation('getProvenance')
  bundle(@Input() { caller, params }: InputOf<'getProvenance'>): Promise<Provenance> {
    return this.provenance.bundle(accountOf(caller).accountId, params.id);
  }

  @Operation('getReceipt')
  receipt(@Input() { caller, params }: InputOf<'getReceipt'>): Promise<SignedReceipt> {
    return this.provenance.receipt(accountOf(caller).accountId, params.id);
  }
}
