import { useState } from 'preact/hooks';
import { ApiError } from '../../client/errors.ts';
import { logIn, loginNote } from '../person.ts';
import { useSource } from '../source.ts';
import { errorText } from '../ui.tsx';

const textOf = (error: Error): string =>
  error instanceof ApiError && error.problem.code === 'invalid-credentials'
    ? 'The user name or the password is wrong.'
    : errorText(error);

export const LoginPage = () => {
  const note = useSource(loginNote);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setError(undefined);
    try {
      await logIn({ username: String(form.get('username')), password: String(form.get('password')) });
    } catch (failure) {
      setError(failure as Error);
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)}>
        <h1>Lanekeeper</h1>
        <p class="dim">Log in with your account. Operators see all users, everybody sees their own queue.</p>
        {note && <p class="note warn">{note}</p>}
        <label>
          User name
          <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {error && (
          <p class="note bad" role="alert">
            {textOf(error)}
          </p>
        )}
        <button type="submit" class="main" disabled={isBusy}>
          {isBusy ? 'Logging in…' : 'Log in'}
        </button>
      </form>
    </main>
  );
};
