/** Mean |r| of r = Ŷ + ε − Y, or its Huber form, and the derivative with respect to Ŷ, in float64. */
export function brainLoss(
  prediction: ArrayLike<number>,
  epsilon: ArrayLike<number>,
  response: ArrayLike<number>,
  huber = 0,
): { loss: number; gradient: Float64Array } {
  const count = response.length;
  const gradient = new Float64Array(count);
  let loss = 0;
  for (let at = 0; at < count; at++) {
    const r = prediction[at] + epsilon[at % epsilon.length] - response[at];
    const inside = Math.abs(r) < huber;
    loss += (inside ? r * r / (2 * huber) : Math.abs(r) - huber / 2) / count;
    gradient[at] = (inside ? r / huber : Math.sign(r)) / count;
  }
  return { loss, gradient };
}
