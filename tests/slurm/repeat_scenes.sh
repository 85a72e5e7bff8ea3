#!/bin/sh
# tests/slurm/repeat_scenes.sh VOC DIR TIMES   a folder in the layout of PASCAL VOC with the images of another one TIMES times,
# under names of their own and as links: more images to measure time and memory on, not more to learn from.
set -eu
from=$(cd "$1" && pwd)
mkdir -p "$2/ImageSets/Segmentation" "$2/JPEGImages" "$2/SegmentationClass"
cp "$from"/class_names.txt "$2" 2>/dev/null || :
for time in $(seq "$3"); do
  while read -r name; do
    ln -sf "$from/JPEGImages/$name.jpg" "$2/JPEGImages/r${time}_$name.jpg"
    ln -sf "$from/SegmentationClass/$name.png" "$2/SegmentationClass/r${time}_$name.png"
    echo "r${time}_$name"
  done <"$from/ImageSets/Segmentation/trainval.txt"
done >"$2/ImageSets/Segmentation/trainval.txt"
cp "$2/ImageSets/Segmentation/trainval.txt" "$2/ImageSets/Segmentation/train.txt"
cp "$2/ImageSets/Segmentation/trainval.txt" "$2/ImageSets/Segmentation/val.txt"
