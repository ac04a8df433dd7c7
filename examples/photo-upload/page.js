/** Uploads photos in the order in which they were chosen, and shows how far each of them is. */
import { connect, register } from './client.js';
import * as outbox from './outbox.js';

const $ = (id) => document.getElementById(id);
const randomHex = () => crypto.randomUUID().replaceAll('-', '');

/** In the place of your own login: an account that this browser keeps for all its tabs. */
const accountOf = (apiUrl) =>
  navigator.locks.request('account', async () => {
    const kept = localStorage.getItem('account');
    if (kept) return JSON.parse(kept);
    const account = { username: `photos-${randomHex()}`, password: randomHex() };
    await register(apiUrl, account);
    localStorage.setItem('account', JSON.stringify(account));
    return account;
  });

const texts = {
  queued: ({ position }) => (position > 1 ? `waits, ${position - 1} before it` : 'is next'),
  processing: ({ retryAt, attempts }) => (retryAt ? `failed ${attempts} times, tries again` : 'in progress'),
  blocked: () => 'waits for a person',
  done: ({ result }) => `done, ${Math.ceil(result.bytes / 1000)} kB`,
  failed: ({ error }) => `failed: ${error.message}`,
  cancelled: () => 'cancelled',
};

const items = new Map();

const show = (request) => {
  items.set(request.seq, request);
  let item = document.querySelector(`[data-seq="${request.seq}"]`);
  if (!item) {
    item = document.createElement('li');
    item.dataset.seq = request.seq;
    const image = document.createElement('img');
    image.src = `photos/${request.key}`;
    image.alt = `Photo ${request.seq}`;
    item.append(image, document.createElement('span'));
    // They are told in their order.
    $('photos').append(item);
  }
  item.dataset.status = request.status;
  item.querySelector('span').textContent = texts[request.status](request);
};

const showProgress = () => {
  const all = [...items.values()];
  const done = all.filter(({ settledAt }) => settledAt).length;
  $('progress').max = Math.max(1, all.length);
  $('progress').value = done;
  $('summary').textContent = all.length > 0 ? `${done} of ${all.length} photos done` : '';
};

const showWaiting = async () => {
  const waiting = await outbox.count();
  $('waiting').textContent = waiting > 0 ? `${waiting} not sent yet` : '';
};

/** While the network is away, `action` is tried again and again. Repeating it changes nothing. */
const persist = async (action) => {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (error.name === 'ApiError') throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
};

const upload = async ({ id, file }) => {
  const response = await fetch(`photos/${id}`, { method: 'PUT', body: file });
  if (!response.ok) throw new Error(`The photos answered ${response.status}.`);
};

/** One tab sends for all, so that the order stays. Photos are numbered by the queue in the order in which they are sent. */
const sendAll = (lk) =>
  navigator.locks.request('outbox', async () => {
    for (let photo = await outbox.first(); photo; photo = await outbox.first()) {
      const { id } = photo;
      await persist(() => upload(photo));
      // The id is the Idempotency-Key: sent again after a reload, it is the same request.
      await persist(() => lk.enqueue({ id }, { key: id }));
      await outbox.remove(photo.key);
      await showWaiting();
    }
  });

const { apiUrl } = await (await fetch('config.json')).json();
const lk = await connect(apiUrl, await accountOf(apiUrl));

const send = () => sendAll(lk).catch((error) => ($('fault').textContent = error.message));

$('choose').addEventListener('change', async ({ target }) => {
  await outbox.add([...target.files].map((file) => ({ id: randomHex(), file })));
  target.value = '';
  await showWaiting();
  await send();
});

addEventListener('online', () => ($('network').textContent = ''));
addEventListener('offline', () => ($('network').textContent = 'offline'));

await showWaiting();
void send();
$('choose').disabled = false;

for await (const event of lk.events({ after: '0' })) {
  if (event.type !== 'queue') show(event.request);
  // Whoever waits has moved up.
  else
    for (const request of items.values())
      if (request.status === 'queued') show({ ...request, position: Math.max(1, request.seq - event.queue.settled) });
  showProgress();
}
