export const processor = () => 1;
