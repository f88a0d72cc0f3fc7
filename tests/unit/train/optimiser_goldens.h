/* SPDX-License-Identifier: Apache-2.0 */
/* Written by make_goldens.py; do not edit. */

enum { GOLDEN_STEPS = 5, GOLDEN_COUNT = 6 };

static const float golden_start[] = {0.345584184f, 0.82161814f,  0.330437064f,
                                     -1.30315721f, 0.905355871f, 0.446374565f};
static const float golden_gradients[] = {
    -0.536953211f, 0.581118107f,  0.0f, 2.94132491e-07f,  0.028422242f,  0.546712995f,
    -0.73645407f,  -0.162909955f, 0.0f, 5.98846214e-07f,  0.0397221074f, -0.292456746f,
    -0.781908453f, -0.257192254f, 0.0f, -2.75602901e-07f, 1.29406381f,   1.00672436f,
    -2.71116257f,  -1.88901329f,  0.0f, -4.22190396e-07f, 0.213643f,     0.217321932f,
    2.11783886f,   -1.11202073f,  0.0f, 2.04277148e-06f,  0.646703005f,  0.663063347f};

/* Values after all steps at the rate 0.05. */
static const float golden_sgd[] = {0.478016198f, 0.963619113f, 0.330437064f,
                                   -1.30315733f, 0.794228196f, 0.339306265f};
static const float golden_sgd_decay[] = {0.467312247f, 0.943137646f, 0.322258323f,
                                         -1.27090251f, 0.772576153f, 0.329138756f};
static const float golden_momentum[] = {0.81196332f,  0.948586285f, 0.308975667f,
                                        -1.21851933f, 0.60741955f,  0.168204993f};
static const float golden_nesterov[] = {0.922790945f, 1.12465811f,  0.330437064f,
                                        -1.30315757f, 0.577664137f, 0.112628512f};
static const float golden_nesterov_decay[] = {0.789387584f, 1.05396307f,  0.307356715f,
                                              -1.21213472f, 0.558282852f, 0.133479446f};
static const float golden_adam[] = {0.552363813f, 0.805617034f, 0.330437064f,
                                    -1.44667113f, 0.704441249f, 0.285070658f};
static const float golden_adam_decay[] = {0.551207185f, 0.801398516f, 0.100129366f,
                                          -1.05705369f, 0.689488649f, 0.275774479f};
static const float golden_adamw[] = {0.541359723f, 0.786504686f, 0.322258323f,
                                     -1.4125315f,  0.684258997f, 0.275668889f};
