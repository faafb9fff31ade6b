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

/*
 * Fills all of `to` with all of `from`; 0 for success. Chroma planes are (side + 1) / 2.
 *
 * kFilterBox lets libyuv choose: its kernels for exact ratios, the mean of all samples beyond 2:1,
 * interpolation otherwise.
 */
int codecs_yuv_scale(const codecs_yuv_source *from, const codecs_yuv_target *to) {
  return I420Scale(from->y, from->y_stride, from->u, from->chroma_stride, from->v,
                   from->chroma_stride, from->width, from->height, to->y, to->y_stride, to->u,
                   to->chroma_stride, to->v, to->chroma_stride, to->width, to->height, kFilterBox);
}
