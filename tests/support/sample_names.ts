/** Names in the sample pages. */

/** Would be markup, end an attribute, and turn the reading direction. */
export const HOSTILE =
  `</script><b onclick="x">"quoted" 'מקור' \u202Eקובץ & <img src=x onerror=alert(1)>.png`;

export const MODELS = ["clip<b>_tiny", `"stays"`], LAYERS = [1, 2, 3, 4, 5];
