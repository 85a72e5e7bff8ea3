/** Rows y and y + nodes of charges padded with zeros, the transform's first step by halves taken: (c, 0, Re, Im of c e^{−πi y / nodes}). */
export function tsneCharges(charges: ArrayLike<number>, nodes: number, scale: number): Float64Array {
  const out = new Float64Array(nodes * nodes * 4);
  for (let at = 0; at < nodes * nodes; at++) {
    const c = charges[at] / scale, angle = -Math.PI * Math.floor(at / nodes) / nodes;
    out.set([c, 0, c * Math.cos(angle), c * Math.sin(angle)], 4 * at);
  }
  return out;
}
