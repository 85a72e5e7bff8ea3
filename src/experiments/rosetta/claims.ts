/** The claims of the experiment `rosetta`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Claim } from "../../report/results.ts";
import { mean } from "../../statistics/summary.ts";
import { cellOf, claimOf } from "../shared/claim_cells.ts";
import type { Rosetta, RosettaGains, RosettaPair } from "./compute.ts";
import type { MatchedPairs } from "./matching.ts";

/** What models share, channel by channel and after alignment. */
export function rosettaClaims({ pairs, alignedChannels, voxels }: Rosetta): Claim[] {
  const each = (say: (pair: RosettaPair) => string) =>
    pairs.map((pair) => `${pair.models.join(" and ")} ${say(pair)}`).join("; ");
  const r = ({ r }: MatchedPairs) => r.length === 0 ? "none" : formatNumber(mean(r), 3);
  const against = (a: MatchedPairs, b: MatchedPairs) => `${r(a)} against ${r(b)}`;
  const claim = (id: string, paper: string, measured: string, test: keyof RosettaGains, less: string) =>
    claimOf({
      id,
      paper,
      measured,
      statistic: `mean r of ${less}; units are held-out images, whose signs were flipped`,
      cells: pairs.map(({ models, gains }) =>
        cellOf({ model: models.join(" and "), unit: "of r" }, gains[test])
      ),
    });
  return [
    claim(
      "networks-share-channels",
      "deep networks, trained with different objectives, share common feature channels across various models",
      `mean held-out r of Rosetta pairs, and with another image's map: ${
        each(({ rosetta }) =>
          `${r(rosetta)} against ${
            formatNumber(rosetta.r.length === 0 ? 0 : mean(rosetta.shuffled), 3)
          } (${rosetta.pairs.length} pairs)`
        )
      }`,
      "rosetta",
      "Rosetta pairs, minus that with another image's map",
    ),
    claim(
      "align-gives-channels-one-meaning",
      "channel alignment produces a universal feature space that aligns channel features across the layers and models",
      `mean held-out r of aligned channels of one number, and of different numbers: ${
        each(({ aligned, control }) => against(aligned, control))
      }; of mutual best matches among aligned channels, one number have ${
        each(({ sameNumber }) => `${formatNumber(100 * sameNumber, 1)} %`)
      }, by chance ${formatNumber(100 / alignedChannels, 1)} %`,
      "aligned",
      "aligned channels of one number, minus that of different numbers",
    ),
    claim(
      "single-channels-miss-correspondence",
      "individual channel-level analysis could miss feature correspondence across networks",
      `mean held-out r of aligned channels of one number, and of Rosetta pairs: ${
        each(({ aligned, rosetta }) => against(aligned, rosetta))
      }; aligned channels that correlate as the median Rosetta pair or more: ${
        each(({ asStrong }) => `${formatNumber(100 * asStrong, 0)} %`)
      }`,
      "alignedOverRosetta",
      "aligned channels of one number, minus that of Rosetta pairs",
    ),
    claim(
      "voxels-have-one-meaning",
      "brain encoding associates the aligned channel space to brain regions and gives them meanings",
      `mean held-out r of ${voxels} voxels drawn on the patches by two models, and of different voxels: ${
        each(({ voxels, voxelControl }) => against(voxels, voxelControl))
      }`,
      "voxels",
      "one voxel, minus that of different voxels",
    ),
  ];
}
