import { Logger } from '@nestjs/common';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { nestLog } from './nest-log.js';

const lines: Record<string, unknown>[] = [];
const log = pino(
  { base: null, timestamp: false },
  { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
);

afterEach(() => {
  lines.length = 0;
  Logger.overrideLogger(false);
});

test('what the framework says is a line of JSON with its level and who says it', () => {
  Logger.overrideLogger(nestLog(log));
  const speaker = new Logger('Router');
  speaker.error('no such thing', 'at line 1');
  speaker.warn('careful');
  speaker.fatal(new Error('broken'));
  speaker.log('mapped a route');
  expect(lines).toMatchObject([
    { level: 50, msg: 'no such thing', from: 'Router', stack: 'at line 1' },
    { level: 40, msg: 'careful', from: 'Router' },
    { level: 60, msg: 'broken', from: 'Router', err: { type: 'Error', message: 'broken' } },
  ]);
});
