/** A change goes on over several steps, leaders and pauses, and ends with one word. */

import t from 'tap';
import { driveChange } from '../../../src/daemon/members/change-driver.ts';
import type { MemberRequest, StepQuestion } from '../../../src/daemon/members/change-request.ts';
import { MailraftError } from '../../../src/errors.ts';

const REQUEST: MemberRequest = { kind: 'add', id: 'm4', address: 'm4:1', isPromoted: false };
const asked = { request: REQUEST, isConfirmed: false, isDryRun: false };

interface Played {
  readonly questions: StepQuestion[];
  readonly reports: string[];
  readonly result: Promise<unknown>;
}

/** Answers questions by turns; time passes by `stepMs` with each. */
function play(answers: readonly (object | Error)[], stepMs = 0): Played {
  const [questions, reports]: [StepQuestion[], string[]] = [[], []];
  let nowMs = 0;
  const result = driveChange(
    asked,
    {
      ask: async (question) => {
        nowMs += stepMs;
        const answer = answers[Math.min(questions.length, answers.length - 1)];
        questions.push(question);
        if (answer instanceof Error) throw answer;
        return { steps: [], warnings: [], request: question.request, ...answer };
      },
      handOver: async () => {
        reports.push('handed over');
      },
      nowMs: () => nowMs,
    },
    (phase, progress) => reports.push(progress === undefined ? phase : `${phase}: ${progress}`),
  );
  return { questions, reports, result };
}

t.test('steps are asked for until it is done, by one token', async (t) => {
  const { questions, reports, result } = play([
    {
      state: 'again',
      phase: 'adding',
      warnings: ['even'],
      request: { ...REQUEST, isPromoted: true },
    },
    { state: 'again', phase: 'catching up', progress: '9 entries' },
    { state: 'done', steps: ['promoting'], phase: 'm4 is a voter', warnings: ['even', 'more'] },
  ]);
  t.same(await result, { done: 'm4 is a voter', warnings: ['even', 'more'] });
  t.same(reports, ['adding', 'catching up: 9 entries', 'promoting']);
  t.equal(new Set(questions.map(({ token }) => token)).size, 1);
  t.match(questions[0], { request: { isPromoted: false } });
  t.match(questions[2], { request: { isPromoted: true } }, 'what a step added is kept');
});

t.test('a primary that is to leave hands over, and its successor goes on', async (t) => {
  const { reports, result } = play([
    { state: 'handOver', phase: 'm1 hands over' },
    new MailraftError('NO_QUORUM', 'no node leads at the moment'),
    new MailraftError('NOT_LEADER', 'this node does not lead'),
    { state: 'done', phase: 'm1 is no member' },
  ]);
  t.match(await result, { done: 'm1 is no member' });
  t.same(reports, ['m1 hands over', 'handed over']);
});

t.test('a refusal ends it at once, a leader that is not there after a while', async (t) => {
  const refused = play([new MailraftError('REFUSED', 'no')]);
  await t.rejects(refused.result, { code: 'REFUSED', message: 'no' });
  t.equal(refused.questions.length, 1);
  const alone = play([new MailraftError('NO_QUORUM', 'no node leads')], 20_000);
  await t.rejects(alone.result, { code: 'NO_QUORUM' });
  t.equal(alone.questions.length, 2, 'it is asked again for half a minute');
});

t.test('what moves may last, and what stands still does not', async (t) => {
  const still = play([{ state: 'again', phase: 'catching up', progress: '9 entries' }], 310_000);
  await t.rejects(still.result, {
    code: 'TIMED_OUT',
    message: /nothing has moved for 10 minutes: catching up 9 entries; ask again to go on/,
  });
  const moving = [9, 8, 7, 6].map((left) => ({
    ...{ state: 'again', phase: 'catching up', progress: `${left} entries` },
  }));
  const moved = play([...moving, { state: 'done', phase: 'there' }], 310_000);
  t.match(await moved.result, { done: 'there' });
});

t.test('an answer that is none is not taken for one', async (t) => {
  await t.rejects(play([{ state: 'perhaps', phase: '' }]).result, { code: 'DATA_INVALID' });
});
