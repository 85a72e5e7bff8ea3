/** What the showcase's page is made from. */

/** A photograph, a square. */
export interface ShownPhoto {
  title: string;
  /** A data URI. */
  photo: string;
  credit?: { author: string; license: string; licenseUrl?: string; source: string };
}

/** What the page shows. Every list follows layer by layer, photograph by photograph, row by row of the map. */
export interface ShowcaseContent {
  model: string;
  photos: ShownPhoto[];
  map: { rows: number; cols: number };
  layers: number[];
  /** Index of the layer that is shown first. */
  first: number;
  /** Why that one, one sentence. */
  opening: string;
  /** Spots to begin with: cells of a photograph's map, and indices of the layer to see them in. */
  spots: { name: string; photo: number; cell: number; layer: number }[];
  /** n × 3 bytes. */
  colors: Uint8Array;
  segments: Uint8Array;
  segmentCount: number;
  /** n × components signed bytes: rows of the eigenvectors. */
  directions: Uint8Array;
  components: number;
}
