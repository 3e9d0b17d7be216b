import { Controller } from '@nestjs/common';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { ErasureService } from './erasure.service.js';

@Controller()
export class ErasureController {
  constructor(private readonly erasure: ErasureService) {}

  @Operation('eraseJob')
  erase(@Input() { caller, params }: InputOf<'eraseJob'>): Promise<void> {
    return this.erasure.erase(accountOf(caller).accountId, params.id);
  }
}
