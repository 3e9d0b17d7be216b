import { tagged, TAGS, utf8ToBytes } from '../crypto.js';
import { rootStatementBytes, type RootStatement } from './root-statement.js';

/** `tag ‖ 0x0a ‖ statement's bytes ‖ reason`: what a co-signer signs that does not agree with a statement. */
export function epochObjectionBytes(statement: RootStatement, reason: string): Uint8Array {
  const said = utf8ToBytes(reason);
  const whole = rootStatementBytes(statement);
  const body = new Uint8Array(whole.length + said.length);
  body.set(whole);
  body.set(said, whole.length);
  return tagged(TAGS.epochObjection, body);
}
