/** JSON that a person types. */
export const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

export const notJson = 'This is not JSON. Put text in double quotes.';
