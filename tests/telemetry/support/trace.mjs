/** Returns its trace. */
export default (_request, { trace }) => trace;
