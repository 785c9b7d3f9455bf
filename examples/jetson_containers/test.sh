#!/usr/bin/env bash
# What jetson-containers runs in the image: the package starts, sees the board, and segments a rendered street.
set -e
edge-arseg doctor || test $? -eq 3
edge-arseg run 'test://street?frames=24' null://
