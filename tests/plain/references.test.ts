import { describe, expect, test } from '@jest/globals';
import { callerFor, InvalidReferenceError, userIdOf } from '../../lib/references.ts';

const problemOf = (reference: unknown): string => {
  try {
    userIdOf(reference as string);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidReferenceError);
    expect(error).toMatchObject({ code: 'invalid-reference', status: 400 });
    return (error as Error).message.replace(/^.*; /, '');
  }
  return 'none';
};

describe('a reference', () => {
  test('names a user whose id follows from it, and is no account id', () => {
    expect(userIdOf('auth0|6571')).toBe('b134a3be062556fb41d0f2b3db8429d8');
    expect(callerFor('auth0|6571')).toEqual({ userId: userIdOf('auth0|6571'), reference: 'auth0|6571' });
    expect(userIdOf('ada')).not.toBe(userIdOf('Ada'));
  });

  test.each(['a', '17', 'ada@example.com', 'tenant 4/device 9', '李小龙', '$set', '...', '🦊'.repeat(128)])(
    'may be %s',
    (reference) => {
      expect(problemOf(reference)).toBe('none');
      expect(userIdOf(reference)).toMatch(/^[0-9a-f]{32}$/);
    },
  );

  test.each([
    ['', 'this one has 0.'],
    ['a'.repeat(129), 'this one has 129.'],
    ['🦊'.repeat(129), 'this one has 258.'],
    [17, 'this one is of type number.'],
    [undefined, 'this one is of type undefined.'],
    ['a\nb', 'character 2 is none (U+000A).'],
    ['a\u0000', 'character 2 is none (U+0000).'],
    ['\u202eada', 'character 1 is none (U+202E).'],
    ['ada\u200b', 'character 4 is none (U+200B).'],
    ['a\ud800', 'character 2 is none (U+D800).'],
    ['a\u2028b', 'character 2 is none (U+2028).'],
    ['..', '".." cannot stand in the path of a URL.'],
  ])('may not be %j', (reference, problem) => {
    expect(problemOf(reference)).toBe(problem);
  });

  test('is compared as it is: two spellings of one letter are two users', () => {
    expect(userIdOf('\u00e9')).not.toBe(userIdOf('e\u0301'));
  });
});
