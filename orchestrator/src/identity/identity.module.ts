import { Module } from '@nestjs/common';
import { TrailModule } from '../trail/trail.module.js';
import { Directory } from './directory.js';
import { ChallengeBudget } from './challenge-budget.js';
import { IdentityController } from './identity.controller.js';
import { IdentityLoop } from './identity.loop.js';
import { IdentityStore } from './identity.store.js';
import { KeyRotationService } from './key-rotation.service.js';
import { KeysService } from './keys.service.js';
import { LoginService } from './login.service.js';
import { PgIdentityStore } from './pg-identity.store.js';
import { RandomSecrets, Secrets } from './secrets.js';
import { TokenAuthenticator } from './token-authenticator.js';

/**
 * Identity: who is asking, and what may they do?
 *
 * Reads:    accounts, login messages, logins and API keys.
 * Writes:   the same, and a trail event for each new account, login, key and revocation.
 * Promises: a signature is good for one login, within a minute, here; no secret is kept in clear; a key never has a scope its
 *           maker lacks; a revoked key ends at once, also in streams that are open.
 */
@Module({
  imports: [TrailModule],
  controllers: [IdentityController],
  providers: [
    { provide: IdentityStore, useClass: PgIdentityStore },
    { provide: Secrets, useClass: RandomSecrets },
    Directory,
    ChallengeBudget,
    IdentityLoop,
    KeyRotationService,
    KeysService,
    LoginService,
    TokenAuthenticator,
  ],
  exports: [Directory],
})
export class IdentityModule {}
