/** As wide and as high: some decoders of GPUs take nothing smaller. */
export const GPU_CLIP_SIDE = 256;

/** An I, a B and two P pictures. */
export const GPU_CLIP_FRAMES = 4;

/**
 * A moving test picture as a bare H.264 stream, which a decoder of a GPU and that of the processor must make the same pixels of:
 * `ffmpeg -f lavfi -i testsrc2=s=256x256:r=5:d=0.8 -vf gblur=sigma=4 -c:v libx264 -preset veryslow -crf 36 -x264-params b-adapt=0:bframes=1`
 * `-g 4 -pix_fmt yuv420p -bitexact -bsf:v filter_units=remove_types=6 -f h264`.
 */
export const GPU_CLIP: Uint8Array = Buffer.from(
  [
    'AAAAAWdkABWsWEQQCGwEQAAAAwBAAAADAoPFi0EYAAAAAWjoQ4KSyLAAAAFliIIBfznrfIHfx+3QjjqJIhDyb5mg9AjywPAoWjTBkbTnIsIEiu8d',
    '7feW0gBhOxL/TmteEC/faCA7Hgdajn96HxwrVR5bEXFhwOnVma6bS03CL5aKp3GSck5q9XQnbGQgE/vkwo4AKgivM4aAPtLdi9NIt+saO2o3V6nV',
    'V62DxfuDB+dWfxGtaAjuO+YUmyJRGCRmAG4lRHCTEexF1ND4m22NwT4pg1JCKSQHh6A13IMiVHkUfT1ffoeszbCzq1dXEoy75yuSXVOOco7uvMJW',
    '9nd4oDLKPsRGNd9bJ33JXU8QrzJdZFQ4L8tPjt3hFAeZwZwhs0QgloodCzJXmmFDYR3RhiU2bj4V9uFndjphjjeF5qAPLnMBfqaWsJC2eEu0yPJI',
    'LPK5gilM2BdGaXHF3MGztkarPLGQ/LVSVgy1fG6R0muhCbxbOOHcofJIK9F/c71PrG51znXSN672v11mwnwrDO6obRK3zPg0kovq0/d+5YA9J3jN',
    'MJsMIn/+NMV3hRkY/4dM6yWIRod39ar3IfKce7RnfVaBcI+hNG1aS54FjPWbm1IGrXp0n1hx11ydO0StPpFcKd07cKMawtH+eu/Cr1VR0Pdxv6Oa',
    'UYh9IcnVPInXq/tl4OvQhXSxu83zqLx/JuP/jVwDGwfjGP41gO0LR/86L7CRsZUazCxFXo3XYkMUlxW3FAGEjnHbeHQe0lr0Gchf5X8yB/kl+Y0T',
    'In+fr83LRg4PjjLuotU6uyl3jQ8CMG3zhoB0dutiWQ99w/75u1JU6qt1Gf+CIlH4pEeDuN0tqZjbqdn37qGAxOJ8M0PjQEIejGwrjrdVuZoK7Zb8',
    'pnN+OWDxxmsN+tqEruTMYcUVIZgfmWlNT9B3uhbHpRtWITbj3ROhgWSwmpSQWfh0Bi/VX1Xn2UOtgWQqCfbVc/q527/em54XcjgM8HPD8VKJc2Jz',
    'QGv5QUGBRACFcIq1HMR9X1enh9n6/Un6WRji3OelJp4TnCkVmgoAWIELL1myIkc+En6dfljBaA8CSbh++VgtX226+fzll26/1EPkoqsapo7ofGXi',
    '90iDEpbJaUfnJlgkWaMrRxR7Tbfs2vE7MxzjYrSz2T+BF1mPfuQwe+F7t77Rbi2hpQJKnLFi7EqMij9luqtITK4A5KYdM0C4sx0/4gyJVDT0XN2K',
    'X1MHLf0WlqYlB1789chBxybBiFiyg4bsy643J2yJsbNPxL4RWWF6f03h8SoC7HEdwNk9U9c3BuTWEOq1vzjcXop2048dIX5ABXHXEKPknZdJKsX+',
    '76PoNA7myfv/xrx9tiCTcd6Pzt4res85/ZCwweccWmv5AAAAAUGaFNiX/9ujEBzx9S+46zkEhVLnNVlAQTBuubVdVwoePWMtRbM0D9JYPfi62hy3',
    '3/zOAhANbhipJ/o+U0BM15RsDv5rjtq+Jwm7vQzj+5qdhG1Hl0y31pTUprhSkM/RneMpXrxbGXJUXHwXD5pzGgA8LXBLwJ6P+UPS+E3uyBqRWOXs',
    'l06WbqQa2cCB1z3qntiZF8xZmRdBBdqkpBBROSV+OoVznl813gFeoI8G9Fha4QmyHnNXXooapoSuHM1V5vZv1YA64hcy0953s7gm9MBpb7w1ebwu',
    'Zl/gN5OYh33pbwVctdFMY0ZfaNo8/T/4Gds2ZjO7VTdZCpSJ+gLL0xG0k9PNrBaeSS0sy06uj9yG21uoZj/qMQ2rqMCJtEMQoeGZGzDi6sli2FPR',
    'yg/g9kzkMkHB4LTNyoClk2k+vFOqGuovgCN5AHz90sw2tzajhMaHVG7GMPFZMAQmrzGRidJQq0oKt2zNmiAZFBBQkydSnp+QQ/o1VTF3cxYiMZHG',
    'oDA7AGokevOPQwRoCyu0CkLVfinIjVNKdP0Ul+Rf1+eSOhY1tKiKjoeoXxK1P38qRCS+w7C1/RU7hhWkO9ubhY4oS5WUPCjhrQG2CqF1wuvPz6+w',
    'P1j5EHPSWEu8ghbN4yHzEyzGQlngecWbtXqaKPpLK4AiDq3wm/8CpEOgo1yu7atWWztdJGnhE5IIVPTU2Z0bnkTGyTPk+HA8bkuJOJHSJrOgfsUU',
    'CI+N2ILrZnvvh2rrIkTuXLsDIWTfVvGBS6xwxiv6aIfRMrwIl7LJ2WtSyzfCw0sBPqNNQsX7sMYtFyZDap1tUlkqPoI6l7nlVWWH+195R0FTMnGo',
    'dhVbHfZaC++hSUAHM12WDIQxWsqu/Ptbm5juppqwGEHqUUcNVisGwIoYAAAAAQGeInP/8Y2bnN6ZeVWRhXyOjLSVQym26dxZZdvFGMxjxOOS8+2L',
    'Gdh+dmOlEInehvewnBQaX14BMwC2t/KUPMokPss982WlIdIQpEW8blcDW40BAsW3LrivirVbpF8q0+bkFymtKgZmvhVANbhCRv0nZIR2lXVo+oW1',
    'Z41P2KLZWrlF86kRDqyIWheLi4eLw7n1ZuDtqUBiVxFNlOUT2kcAzkNpIL95YMpxrdPmN3aAa+cMAPJARKX1LQCszAoOqVWLbvDB9cCO+uXlm5q8',
    'YDNgNRg3QsQ4dv5S9G+0vDYhAAAAAUGaJr8EGTKYf0TDYcC9MrIy0HEdQhMAVJA5uTlcBHCC27x13bE/5TO7/pmoZVj/fZNZFJvVwlg4PlnB1TEX',
    '5XsPRPS17ip2RfTHPfDwG6l3Y/jsZ7/hvBVgxTizaNpR+nVgEl5OqGiXGIpexkxMM5pGfUCjJwhtTdHmhWbbCZed0RWNukMCp/mOU1uNQ3/QNSjo',
    '+v5IU4lV+9k8W+wNxl2+Iuiggo1n472Jpipg8PK7olFQ1eTY9vNKbA2txvpyIA0TLo7PFD3f4KkZXjLOFw+HraWy3r8Y4ipAmQvR0sLyaQLbb58x',
    '62VU/i0SWazcBYyrgm1U18vWYW2Dxt9w+XJReB4RIangj15txH4Ong==',
  ].join(''),
  'base64',
);
