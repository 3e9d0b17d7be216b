import { Controller, Req } from '@nestjs/common';
import type { CreatedKey, KeyPage, LoginChallenge, LoginResult } from '@tidemill/protocol';
import type { Request } from 'express';
import type { z } from 'zod';
import type { Caller } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { ProblemError } from '../platform/http/problem.js';
import { Peers } from '../platform/limits/peers.js';
import { ChallengeBudget } from './challenge-budget.js';
import { KeyRotationService } from './key-rotation.service.js';
import { KeysService, type Submitter } from './keys.service.js';
import { LoginService } from './login.service.js';

/** Logins and API keys. */
@Controller()
export class IdentityController {
  constructor(
    private readonly logins: LoginService,
    private readonly keys: KeysService,
    private readonly rotation: KeyRotationService,
    private readonly budget: ChallengeBudget,
    private readonly peers: Peers,
  ) {}

  @Operation('createLoginChallenge')
  async createLoginChallenge(
    @Input() { body }: InputOf<'createLoginChallenge'>,
    @Req() request: Request,
  ): Promise<LoginChallenge> {
    this.budget.spend(this.peers.networkOf(request));
    return await this.logins.challenge(body.publicKey);
  }

  @Operation('login')
  async login(@Input() { body }: InputOf<'login'>): Promise<LoginResult> {
    return await this.logins.login(body);
  }

  @Operation('createKey')
  async createKey(
    @Input() { body, caller }: InputOf<'createKey'>,
  ): Promise<z.infer<typeof CreatedKey>> {
    return await this.keys.create(submitter(caller), body);
  }

  @Operation('listKeys')
  async listKeys(
    @Input() { query, caller }: InputOf<'listKeys'>,
  ): Promise<z.infer<typeof KeyPage>> {
    return await this.keys.list(submitter(caller).accountId, query.cursor, query.limit);
  }

  @Operation('rotateKey')
  async rotateKey(
    @Input() { params, body, caller }: InputOf<'rotateKey'>,
  ): Promise<z.infer<typeof CreatedKey>> {
    return await this.rotation.rotate(submitter(caller), params.id, body.graceSeconds);
  }

  @Operation('deleteKey')
  async deleteKey(@Input() { params, caller }: InputOf<'deleteKey'>): Promise<void> {
    await this.keys.revoke(submitter(caller).accountId, params.id);
  }
}

/** Keys belong to accounts; a worker's session has none. */
function submitter(caller: Caller): Submitter {
  if (caller.kind !== 'account') throw new ProblemError('FORBIDDEN', 'A worker has no API keys.');
  return caller;
}
