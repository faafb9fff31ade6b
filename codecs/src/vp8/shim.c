/*
 * The part of libvpx that we use, as plain functions.
 *
 * In C because libvpx's interface is structs, an ABI constant and control macros that the C
 * compiler can check against the installed headers and nobody else can.
 *
 * Every function but the two _open is given a handle that _open returned and _close has not seen.
 * Results are 0 for success. A packet or picture stays readable until the next call with the
 * same handle.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

typedef struct {
  vpx_codec_ctx_t codec;
  vpx_codec_enc_cfg_t config;
  const vpx_codec_cx_pkt_t *packet;
} codecs_vp8_encoder;

typedef struct {
  vpx_codec_ctx_t codec;
  const vpx_image_t *picture;
} codecs_vp8_decoder;

static void describe(vpx_codec_ctx_t *codec, char *text, size_t capacity) {
  const char *what = vpx_codec_error(codec);
  const char *detail = vpx_codec_error_detail(codec);
  snprintf(text, capacity, "%s%s%s", what ? what : "unknown", detail ? ": " : "", detail ? detail : "");
}

codecs_vp8_encoder *codecs_vp8_encoder_open(uint32_t width, uint32_t height, uint32_t bitrate_kbps,
                                            int32_t cpu_used) {
  codecs_vp8_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  vpx_codec_enc_cfg_t *config = &encoder->config;
  if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), config, 0)) {
    free(encoder);
    return NULL;
  }
  config->g_w = width;
  config->g_h = height;
  config->g_threads = 1;
  config->g_profile = 0;
  config->g_timebase.num = 1;
  config->g_timebase.den = 90000;
  config->g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
  config->g_pass = VPX_RC_ONE_PASS;
  config->g_lag_in_frames = 0;
  config->rc_dropframe_thresh = 0;
  config->rc_resize_allowed = 0;
  config->rc_end_usage = VPX_CBR;
  config->rc_target_bitrate = bitrate_kbps;
  config->rc_min_quantizer = 2;
  config->rc_max_quantizer = 56;
  config->rc_undershoot_pct = 100;
  config->rc_overshoot_pct = 15;
  config->rc_buf_initial_sz = 500;
  config->rc_buf_optimal_sz = 600;
  config->rc_buf_sz = 1000;
  config->kf_mode = VPX_KF_DISABLED;
  if (vpx_codec_enc_init(&encoder->codec, vpx_codec_vp8_cx(), config, 0)) {
    free(encoder);
    return NULL;
  }
  if (vpx_codec_control(&encoder->codec, VP8E_SET_CPUUSED, cpu_used) ||
      vpx_codec_control(&encoder->codec, VP8E_SET_STATIC_THRESHOLD, 1) ||
      vpx_codec_control(&encoder->codec, VP8E_SET_NOISE_SENSITIVITY, 0) ||
      vpx_codec_control(&encoder->codec, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION)) {
    vpx_codec_destroy(&encoder->codec);
    free(encoder);
    return NULL;
  }
  return encoder;
}

int codecs_vp8_encoder_set_bitrate(codecs_vp8_encoder *encoder, uint32_t bitrate_kbps) {
  vpx_codec_enc_cfg_t config = encoder->config;
  encoder->packet = NULL;
  config.rc_target_bitrate = bitrate_kbps;
  if (vpx_codec_enc_config_set(&encoder->codec, &config)) return 1;
  encoder->config = config;
  return 0;
}

/* Keyframes are aimed at no more than this share of what one frame may weigh; 0: no bound. */
int codecs_vp8_encoder_bound_keyframes(codecs_vp8_encoder *encoder, uint32_t percent) {
  return vpx_codec_control(&encoder->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, percent) != VPX_CODEC_OK;
}

/* Rows of the planes lie their stride apart; chroma planes are (side + 1) / 2. */
int codecs_vp8_encoder_encode(codecs_vp8_encoder *encoder, const uint8_t *y, const uint8_t *u,
                              const uint8_t *v, uint32_t y_stride, uint32_t chroma_stride,
                              int64_t pts, uint32_t duration, int force_keyframe) {
  vpx_image_t image;
  vpx_codec_iter_t iter = NULL;
  const vpx_codec_cx_pkt_t *packet;
  encoder->packet = NULL;
  /* libvpx only reads the picture; its struct has no const. */
  if (!vpx_img_wrap(&image, VPX_IMG_FMT_I420, encoder->config.g_w, encoder->config.g_h, 1,
                    (unsigned char *)y)) {
    return 1;
  }
  image.planes[VPX_PLANE_U] = (unsigned char *)u;
  image.planes[VPX_PLANE_V] = (unsigned char *)v;
  image.stride[VPX_PLANE_Y] = (int)y_stride;
  image.stride[VPX_PLANE_U] = image.stride[VPX_PLANE_V] = (int)chroma_stride;
  if (vpx_codec_encode(&encoder->codec, &image, pts, duration,
                       force_keyframe ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME)) {
    return 1;
  }
  while ((packet = vpx_codec_get_cx_data(&encoder->codec, &iter))) {
    if (packet->kind == VPX_CODEC_CX_FRAME_PKT) encoder->packet = packet;
  }
  return 0;
}

/* 0 if the last call of _encode gave no packet. */
size_t codecs_vp8_encoder_packet_bytes(const codecs_vp8_encoder *encoder) {
  return encoder->packet ? encoder->packet->data.frame.sz : 0;
}

int codecs_vp8_encoder_packet_is_key(const codecs_vp8_encoder *encoder) {
  return encoder->packet && (encoder->packet->data.frame.flags & VPX_FRAME_IS_KEY);
}

/* `to` has room for what _packet_bytes returned. */
void codecs_vp8_encoder_copy_packet(const codecs_vp8_encoder *encoder, uint8_t *to) {
  if (encoder->packet) memcpy(to, encoder->packet->data.frame.buf, encoder->packet->data.frame.sz);
}

void codecs_vp8_encoder_error(codecs_vp8_encoder *encoder, char *text, size_t capacity) {
  describe(&encoder->codec, text, capacity);
}

void codecs_vp8_encoder_close(codecs_vp8_encoder *encoder) {
  vpx_codec_destroy(&encoder->codec);
  free(encoder);
}

codecs_vp8_decoder *codecs_vp8_decoder_open(void) {
  vpx_codec_dec_cfg_t config = {.threads = 1};
  codecs_vp8_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  if (vpx_codec_dec_init(&decoder->codec, vpx_codec_vp8_dx(), &config, 0)) {
    free(decoder);
    return NULL;
  }
  return decoder;
}

/* 0 decoded, 1 refused (see _error), 2 decoded from damaged data or damaged references. */
int codecs_vp8_decoder_decode(codecs_vp8_decoder *decoder, const uint8_t *frame, uint32_t length) {
  vpx_codec_iter_t iter = NULL;
  const vpx_image_t *picture;
  int damaged = 1;
  decoder->picture = NULL;
  if (vpx_codec_decode(&decoder->codec, frame, length, NULL, 0)) return 1;
  if (vpx_codec_control(&decoder->codec, VP8D_GET_FRAME_CORRUPTED, &damaged) || damaged) return 2;
  while ((picture = vpx_codec_get_frame(&decoder->codec, &iter))) decoder->picture = picture;
  return 0;
}

/* 0 x 0 if the last frame is not to be shown. */
void codecs_vp8_decoder_size(const codecs_vp8_decoder *decoder, uint32_t *width, uint32_t *height) {
  *width = decoder->picture ? decoder->picture->d_w : 0;
  *height = decoder->picture ? decoder->picture->d_h : 0;
}

static void copy_plane(uint8_t *to, const vpx_image_t *picture, int plane, size_t width,
                       size_t height) {
  const uint8_t *from = picture->planes[plane];
  for (size_t row = 0; row < height; row++, to += width, from += picture->stride[plane]) {
    memcpy(to, from, width);
  }
}

/* Copies without padding between rows; chroma planes are (side + 1) / 2 of what _size gave. */
void codecs_vp8_decoder_copy(const codecs_vp8_decoder *decoder, uint8_t *y, uint8_t *u, uint8_t *v) {
  const vpx_image_t *picture = decoder->picture;
  if (!picture) return;
  size_t width = picture->d_w, height = picture->d_h;
  copy_plane(y, picture, VPX_PLANE_Y, width, height);
  copy_plane(u, picture, VPX_PLANE_U, (width + 1) / 2, (height + 1) / 2);
  copy_plane(v, picture, VPX_PLANE_V, (width + 1) / 2, (height + 1) / 2);
}

void codecs_vp8_decoder_error(codecs_vp8_decoder *decoder, char *text, size_t capacity) {
  describe(&decoder->codec, text, capacity);
}

void codecs_vp8_decoder_close(codecs_vp8_decoder *decoder) {
  vpx_codec_destroy(&decoder->codec);
  free(decoder);
}
