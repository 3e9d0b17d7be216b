import { CLOSE, type SessionId } from '@tidemill/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Session } from './session.js';

afterEach(() => vi.useRealTimers());

function aSession(nowMs = 0) {
  const sent: string[] = [];
  const closed: number[] = [];
  const socket = {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 0,
    send: (frame: string) => sent.push(frame),
    close: (code: number) => {
      closed.push(code);
      socket.readyState = 2;
    },
    terminate: () => closed.push(0),
  };
  const id = 'ses_01890a5d000000000000000001' as SessionId;
  return {
    session: new Session(id, socket as unknown as Session['socket'], '', nowMs),
    socket,
    sent,
    closed,
  };
}
const taken = (session: Session, frames: number, nowMs: number): number =>
  Array.from({ length: frames }, () => session.takeFrame(nowMs)).filter(Boolean).length;

describe('the allowance of frames', () => {
  test('is full at first, and then empty', () => {
    const { session } = aSession();
    expect(taken(session, 100, 0)).toBe(60);
    expect(session.takeFrame(0)).toBe(false);
  });

  test('fills by twenty a second', () => {
    const { session } = aSession();
    taken(session, 60, 0);
    expect(taken(session, 100, 1_000)).toBe(20);
    expect(taken(session, 100, 1_500)).toBe(10);
    expect(session.takeFrame(1_549)).toBe(false);
    expect(session.takeFrame(1_550)).toBe(true);
  });

  test('never holds more than sixty, however long nothing was sent', () => {
    const { session } = aSession();
    expect(taken(session, 1_000, 3_600_000)).toBe(60);
  });

  test('lets twenty a second through for ever', () => {
    const { session } = aSession();
    for (let i = 1; i <= 2_000; i += 1) expect(session.takeFrame(i * 50)).toBe(true);
  });

  test('is used up by more than that', () => {
    const { session } = aSession();
    const frames = Array.from({ length: 400 }, (_, i) => session.takeFrame(i * 25));
    expect(frames.slice(0, 60)).not.toContain(false);
    expect(frames).toContain(false);
    // Ten seconds of twenty and the first sixty.
    expect(frames.filter(Boolean).length).toBeLessThanOrEqual(260);
  });

  test('a refused frame costs nothing', () => {
    const { session } = aSession();
    taken(session, 60, 0);
    for (let i = 0; i < 1_000; i += 1) session.takeFrame(0);
    expect(session.takeFrame(50)).toBe(true);
  });
});

describe('what is sent', () => {
  test('goes out as one frame of JSON', () => {
    const { session, sent } = aSession();
    expect(session.send({ type: 'drain' })).toBe(true);
    expect(sent.map((frame) => JSON.parse(frame) as unknown)).toEqual([{ type: 'drain' }]);
  });

  test('is dropped when the socket is closing: its worker hears it in the next session', () => {
    const { session, socket, sent } = aSession();
    socket.readyState = 2;
    expect(session.send({ type: 'drain' })).toBe(true);
    expect(sent).toEqual([]);
  });

  test('is not kept for a peer that does not read', () => {
    vi.useFakeTimers();
    const { session, socket, sent, closed } = aSession();
    socket.bufferedAmount = 1024 * 1024;
    expect(session.send({ type: 'drain' })).toBe(true);
    socket.bufferedAmount = 1024 * 1024 + 1;
    expect(session.send({ type: 'drain' })).toBe(false);
    expect(sent).toHaveLength(1);
    expect(closed).toEqual([CLOSE.tooSlow.code]);
    // It cannot read that it is closed either, so it is cut off soon after.
    vi.advanceTimersByTime(2_000);
    expect(closed).toEqual([CLOSE.tooSlow.code, 0]);
  });
});
