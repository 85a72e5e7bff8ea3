/** Photographs that may be shown, inside packages of PyPI whose documentation says so: each with its author and license. */
import { reasonOf } from "../../data/files/atomic_write.ts";
import { fileSha256 } from "../../data/files/file_hashes.ts";
import { readImage } from "../../data/images/image.ts";
import { openPackage, packageTitle, type PackageVersion } from "../../data/hub/package_file.ts";
import { readPlainFile } from "../../data/files/plain_file.ts";
import type { RgbImage } from "../../data/images/picture.ts";

/** Who made a photograph, and what may be done with it. */
export interface PhotoCredit {
  author: string;
  license: string;
  /** The license's text, where it has an address. */
  licenseUrl?: string;
  /** Where it was taken from, and where that says the license. */
  source: string;
}

/** A spot in a photograph, and a layer in which other photographs have similar ones. */
export interface PhotoSpot {
  /** "a face". */
  name: string;
  /** From the left and from the top, 0 to 1. */
  x: number;
  y: number;
  /** As a share of the depth. */
  depth: number;
}

/** A photograph of the showcase. */
export interface ShowcasePhoto {
  name: string;
  /** As the page calls it. */
  title: string;
  /** Where the middle of its square is along the longer side, from 0 to 1. */
  focus: number;
  /** A spot to find similar ones of. */
  spot?: PhotoSpot;
  credit?: PhotoCredit;
  load(): Promise<RgbImage>;
}

interface KnownPhoto extends Omit<ShowcasePhoto, "load" | "credit"> {
  package: PackageVersion;
  file: string;
  sha256: string;
  author: string;
  license: keyof typeof LICENSES;
  /** Where in the package its license is said. */
  said: string;
  /** Pixels of what is no image file, but RGB bytes packed by bzip2. */
  packed?: { width: number; height: number };
}

const LICENSES = {
  "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
  "CC BY 2.0": "https://creativecommons.org/licenses/by/2.0/",
  "public domain": undefined,
};

const SKIMAGE: PackageVersion = { registry: "pypi", name: "scikit-image", version: "0.26.0" };
const SKLEARN: PackageVersion = { registry: "pypi", name: "scikit-learn", version: "1.9.0" };
const SCIPY: PackageVersion = { registry: "pypi", name: "scipy", version: "1.9.3" };
const OF_SKIMAGE = { package: SKIMAGE, said: "skimage/data/_fetchers.py" };
const OF_SKLEARN = { package: SKLEARN, said: "sklearn/datasets/images/README.txt" };

/** Two people, two animals, two buildings, two things; in the order of the page. */
const KNOWN: KnownPhoto[] = [
  {
    ...OF_SKIMAGE,
    name: "astronaut",
    title: "Eileen Collins",
    focus: 0.5,
    spot: { name: "a face", x: 0.45, y: 0.24, depth: 0.75 },
    file: "skimage/data/astronaut.png",
    sha256: "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    author: "NASA",
    license: "public domain",
  },
  {
    ...OF_SKIMAGE,
    name: "camera",
    title: "A man with a camera",
    focus: 0.5,
    file: "skimage/data/camera.png",
    sha256: "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    author: "Lav Varshney",
    license: "CC0 1.0",
  },
  {
    ...OF_SKIMAGE,
    name: "chelsea",
    title: "Chelsea",
    focus: 0.5,
    spot: { name: "an eye", x: 0.33, y: 0.33, depth: 0.75 },
    file: "skimage/data/chelsea.png",
    sha256: "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    author: "Stéfan van der Walt",
    license: "CC0 1.0",
  },
  {
    package: SCIPY,
    said: "scipy/misc/_common.py",
    name: "raccoon",
    title: "A raccoon",
    focus: 0.62,
    file: "scipy/misc/face.dat",
    packed: { width: 1024, height: 768 },
    sha256: "9d8b0b4d081313e2b485748c770472e5a95ed1738146883d84c7030493e82886",
    author: "public-domain-image.com",
    license: "public domain",
  },
  {
    ...OF_SKLEARN,
    name: "china",
    title: "A temple in China",
    focus: 0.4,
    spot: { name: "the sky", x: 0.15, y: 0.1, depth: 0.5 },
    file: "sklearn/datasets/images/china.jpg",
    sha256: "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    author: "danielbuechele on Flickr",
    license: "CC BY 2.0",
  },
  {
    ...OF_SKIMAGE,
    name: "rocket",
    title: "Falcon 9",
    focus: 0.5,
    spot: { name: "a tower", x: 0.18, y: 0.5, depth: 0.75 },
    file: "skimage/data/rocket.jpg",
    sha256: "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    author: "SpaceX",
    license: "public domain",
  },
  {
    ...OF_SKIMAGE,
    name: "coffee",
    title: "Coffee",
    focus: 0.47,
    file: "skimage/data/coffee.png",
    sha256: "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    author: "Rachel Michetti",
    license: "CC0 1.0",
  },
  {
    ...OF_SKLEARN,
    name: "flower",
    title: "A dahlia",
    focus: 0.5,
    file: "sklearn/datasets/images/flower.jpg",
    sha256: "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    // The package's README names the other photograph's author, but the address of this one's.
    author: "vultilion on Flickr",
    license: "CC BY 2.0",
  },
];

/**
 * Downloads the photographs that are not cached, and checks all of them.
 *
 * @param folder of the cache
 * @param onDownload called before a package is downloaded
 * @throws Error "skimage/data/a.png of scikit-image 0.26.0 (PyPI) has the SHA-256 …, expected …: …"
 */
export async function fetchShowcasePhotographs(
  folder: string,
  onDownload: (line: string) => void,
): Promise<ShowcasePhoto[]> {
  const photos: ShowcasePhoto[] = [];
  for (const of of new Set(KNOWN.map((known) => known.package))) {
    await using opened = openPackage(of, folder, onDownload);
    const title = packageTitle(of);
    for (const known of KNOWN.filter((known) => known.package === of)) {
      const { file, sha256, author, license, said, packed, name, focus, spot } = known,
        path = await opened.fetch(file);
      if (path === null) throw new Error(`${title} has no ${file}.`);
      const found = await fileSha256(path);
      if (found !== sha256) {
        throw new Error(
          `${file} of ${title} has the SHA-256 ${found}, expected ${sha256}: remove ${path}, and it is downloaded again.`,
        );
      }
      photos.push({
        name,
        title: known.title,
        focus,
        spot,
        credit: {
          author,
          license,
          licenseUrl: LICENSES[license],
          source: `${title}: ${file}, as ${said} says`,
        },
        load: () => packed ? readPacked(path, packed) : readImage(path),
      });
    }
  }
  const order = KNOWN.map(({ name }) => name);
  return photos.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

const UNPACK = "import bz2, sys; sys.stdout.buffer.write(bz2.decompress(sys.stdin.buffer.read()))";

/** RGB bytes that bzip2 packed, by Python, which has it. */
async function readPacked(
  path: string,
  { width, height }: { width: number; height: number },
): Promise<RgbImage> {
  try {
    const command = new Deno.Command("python3", {
      args: ["-c", UNPACK],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const child = command.spawn(), writer = child.stdin.getWriter();
    await writer.write(await readPlainFile(path));
    await writer.close();
    const { stdout, stderr } = await child.output();
    if (stdout.length !== 3 * width * height) {
      throw new Error(
        new TextDecoder().decode(stderr).trim().split("\n").at(-1) || `it has ${stdout.length} bytes`,
      );
    }
    return { width, height, data: stdout };
  } catch (error) {
    throw new Error(`The photograph ${path} cannot be unpacked by python3 (${reasonOf(error)}).`, {
      cause: error,
    });
  }
}
