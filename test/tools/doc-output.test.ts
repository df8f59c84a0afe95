// SPDX-License-Identifier: Apache-2.0
//
// What fits what a document shows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitsSoFar, misfit, shapeOf } from './doc-output.ts';

describe('the shape of a line', () => {
  it('leaves out what varies from run to run', () => {
    assert.equal(
      shapeOf('campus   True    3   6f1c2a41-0e83-159b-d539-7732c17d6e95   26s'),
      shapeOf('campus True 12 02aa2f41-0e83-159b-d539-7732c17d6e95 2m15s'),
    );
    assert.equal(shapeOf('hardware ID dbb11d1ff24a7b55'), shapeOf('hardware ID 3f2e6d046e31c21a'));
  });

  it('keeps words, and the codes that a reader compares', () => {
    assert.notEqual(shapeOf('campus  True'), shapeOf('campus  False'));
    assert.notEqual(shapeOf('0xC004F038 waits'), shapeOf('0xC004F042 waits'));
    assert.notEqual(shapeOf('defaced'), shapeOf('effaced'));
  });
});

describe('an output', () => {
  const shown = 'NAME  COUNT\n…\ncampus-1  25\ndone: …, 0 failed\n';

  it('fits with other values, other lines for an ellipsis, and empty lines', () => {
    assert.equal(misfit(shown, 'NAME COUNT\ncampus-1 3\nother\n\ncampus-0 7\ndone: 3 passed, 0 failed\n'), undefined);
  });

  it('does not fit when a line is missing, changed, at another place, or too many', () => {
    assert.match(misfit(shown, 'NAME COUNT\ndone: 3, 0 failed\n') ?? '', /not printed there: campus-1/);
    assert.match(misfit(shown, 'NAME COUNT\ncampus-0 7\nfailed: 3 passed, 0 failed\n') ?? '', /printed there: done/);
    assert.match(misfit(shown, 'campus-0 7\nNAME COUNT\ndone: x, 0 failed') ?? '', /not printed there: NAME/);
    assert.match(misfit(shown, 'NAME COUNT\ncampus-0 7\ndone: x, 0 failed\nand more') ?? '', /more was printed/);
  });

  it('fits so far once all that is shown was printed, whatever follows', () => {
    assert.equal(fitsSoFar('ready on …\n', ''), false);
    assert.equal(fitsSoFar('ready on …\n', 'ready on 127.0.0.1\nand more\n'), true);
    assert.equal(fitsSoFar('…\nready\n', 'starting\n'), false);
    assert.equal(fitsSoFar('…\nready\n', 'starting\nready\n'), true);
  });
});
