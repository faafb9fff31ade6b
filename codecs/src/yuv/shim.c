/*
 * libyuv's I420Scale behind a prototype of our own, so that the C compiler checks the call against
 * the installed header.
 */
#include <stdint.h>

#include <libyuv/scale.h>

typedef struct {
  const uint8_t *y, *u, *v;
  int32_t y_stride, chroma_stride, width, height;
} codecs_yuv_source;

typedef struct {
  uint8_t *y, *u, *v;
  int32_t y_stride, chroma_stride, width, height;
} codecs_yuv_target;

/* Fills all of `to` with all of `from`; 0 for success. `box` averages where `to` is half or less. */
int codecs_yuv_scale(const codecs_yuv_source *from, const codecs_yuv_target *to, int box) {
  return I420Scale(from->y, from->y_stride, from->u, from->chroma_stride, from->v,
                   from->chroma_stride, from->width, from->height, to->y, to->y_stride, to->u,
                   to->chroma_stride, to->v, to->chroma_stride, to->width, to->height,
                   box ? kFilterBox : kFilterBilinear);
}
