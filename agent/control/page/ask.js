// Asking the agent.

const kTokenName = 'leat-token';  // in the storage of this tab

class Refused extends Error {
  constructor(status, text) {
    super(text.trim() || 'answered with ' + status);
    this.status = status;
  }
}

async function ask(path, signal) {
  const token = sessionStorage.getItem(kTokenName);
  const answer = await fetch(path, {
    headers: token === null ? {} : { Authorization: 'Bearer ' + token },
    cache: 'no-store', credentials: 'omit', redirect: 'error', signal,
  });
  if (!answer.ok) throw new Refused(answer.status, await answer.text());
  return answer;
}

const askJson = async (path) => (await ask(path, AbortSignal.timeout(10000))).json();
