import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventHub, eventNames } from '../../lib/coordinator/events';
import { ClaimWait } from '../../lib/coordinator/refresh/claim-wait';
import { ManualClock } from '../helpers/clock';
import { turn } from './support';

describe('events', () => {
  it('reach each listener, a listener of once() once, and never fail what they report', async () => {
    const { emitter, emit } = hub();
    const heard: unknown[] = [];
    emitter.on('claim.delayed', () => {
      throw new Error('A dashboard is broken.');
    });
    emitter.on('claim.delayed', () => Promise.reject(new Error('It still is.')) as never);
    emitter.once('claim.delayed', (event) => heard.push(['once', event.grantId]));
    emitter.on('claim.delayed', function (this: unknown, event) {
      heard.push([this === emitter, event.grantId]);
    });

    emit('claim.delayed', { grantId: 'one' });
    emit('claim.delayed', { grantId: 'two' });
    await turn();

    expect(heard).toEqual([
      ['once', 'one'],
      [true, 'one'],
      [true, 'two'],
    ]);
  });

  it('are each published on a channel of their own', () => {
    const { emit } = hub();
    const heard: unknown[] = [];
    const listener = (event: unknown, name: string | symbol): void => void heard.push([name, event]);
    for (const name of eventNames) subscribe(`express-salesforce-auth:${name}`, listener);

    for (const name of eventNames) emit(name, { grantId: name });

    for (const name of eventNames) unsubscribe(`express-salesforce-auth:${name}`, listener);
    expect(heard).toEqual(eventNames.map((name) => [`express-salesforce-auth:${name}`, { grantId: name }]));
    expect(eventNames).toHaveLength(20);
  });

  it('of served tokens are made only if there is a listener of either kind', async () => {
    const events = await hubWithOwnChannels();
    const emit = jest.spyOn(events, 'emit');
    events.served('grant', 'memory');
    expect(emit).not.toHaveBeenCalled();

    const heard: unknown[] = [];
    const listener = (event: unknown): void => void heard.push(event);
    events.emitter.on('token.served', listener);
    events.served('grant', 'memory');
    events.emitter.off('token.served', listener);
    subscribe('own:express-salesforce-auth:token.served', listener);
    events.served('grant', 'store');
    unsubscribe('own:express-salesforce-auth:token.served', listener);
    events.served('grant', 'stale');

    expect(heard).toEqual([
      { grantId: 'grant', from: 'memory' },
      { grantId: 'grant', from: 'store' },
    ]);
  });
});

describe('a wait for another process', () => {
  it('has one event with its duration, and the next wait has another', () => {
    const clock = new ManualClock();
    const events = new EventHub();
    const told: unknown[] = [];
    events.emitter.on('claim.delayed', (event) => told.push(event));
    events.emitter.on('claim.waited', (event) => told.push(event));
    clock.advanceMs(1_000);
    const wait = new ClaimWait('grant', { clock, events });
    wait.end();
    wait.begin();
    clock.advanceMs(200);
    wait.begin();
    clock.advanceMs(100);
    wait.end();
    wait.end();
    wait.begin();
    wait.end();

    expect(told).toEqual([
      { grantId: 'grant' },
      { grantId: 'grant', durationMs: 300 },
      { grantId: 'grant' },
      { grantId: 'grant', durationMs: 0 },
    ]);
  });
});

function hub() {
  const events = new EventHub();
  return { emitter: events.emitter, emit: events.emit.bind(events) };
}

/** Channels are the process's, and another test may have left a subscriber: these have names of their own. */
async function hubWithOwnChannels(): Promise<EventHub> {
  let events: EventHub | undefined;
  await jest.isolateModulesAsync(async () => {
    jest.doMock('node:diagnostics_channel', () => ({ channel: (name: string) => channel(`own:${name}`) }));
    const { EventHub: Own } = await import('../../lib/coordinator/events');
    events = new Own();
  });
  jest.dontMock('node:diagnostics_channel');
  return events!;
}
