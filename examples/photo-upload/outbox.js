/** Photos that were chosen and are not sent yet. They are in IndexedDB, so that a reload or a crash of the browser loses none. */

const store = 'photos';

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const opened = () => {
  const request = indexedDB.open('outbox', 1);
  // The keys grow, so that photos leave in the order in which they came.
  request.onupgradeneeded = () => request.result.createObjectStore(store, { autoIncrement: true });
  return settled(request);
};

const database = await opened();

/** `{ id, file }` in the order in which they were added. */
export const add = async (photos) => {
  const transaction = database.transaction(store, 'readwrite');
  for (const photo of photos) transaction.objectStore(store).add(photo);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
};

/** The oldest one, with the key that removes it. */
export const first = async () => {
  const cursor = await settled(database.transaction(store).objectStore(store).openCursor());
  return cursor && { key: cursor.key, ...cursor.value };
};

export const remove = (key) => settled(database.transaction(store, 'readwrite').objectStore(store).delete(key));

export const count = () => settled(database.transaction(store).objectStore(store).count());
