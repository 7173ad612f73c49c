//! Keys for tests. All but the public halves were made for this file and are used nowhere else.

/// 32 bytes for HS256. No output may show their text.
pub(super) const SECRET: &[u8; 32] = b"dj7fH2-marker-\x9f\xf1\x02\xe8\xc3kwo1pqzm4vb8x";

/// `openssl genpkey -algorithm ed25519`: PKCS #8, version 1.
pub(super) const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAciicQ7evupQK3i9arFTmeepXu8j+c8W3ohtSf8r5Bu
-----END PRIVATE KEY-----
";

/// The same key with its public half after it: version 2 (RFC 8410, section 10.3).
pub(super) const ED25519_WITH_PUBLIC: &str = "-----BEGIN PRIVATE KEY-----
MFECAQEwBQYDK2VwBCIEIAciicQ7evupQK3i9arFTmeepXu8j+c8W3ohtSf8r5Bu
gSEAnJXrO4v7FkYiaLeOJQJ+b6Ez/vMYZOm2cJD9zCr4DhA=
-----END PRIVATE KEY-----
";

/// The same key with the public half of another.
pub(super) const ED25519_WITH_FOREIGN_PUBLIC: &str = "-----BEGIN PRIVATE KEY-----
MFECAQEwBQYDK2VwBCIEIAciicQ7evupQK3i9arFTmeepXu8j+c8W3ohtSf8r5Bu
gSEAnZXrO4v7FkYiaLeOJQJ+b6Ez/vMYZOm2cJD9zCr4DhA=
-----END PRIVATE KEY-----
";

/// `openssl pkey -pubout` of [`ED25519`].
pub(super) const ED25519_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAnJXrO4v7FkYiaLeOJQJ+b6Ez/vMYZOm2cJD9zCr4DhA=
-----END PUBLIC KEY-----
";

/// Another Ed25519 key.
pub(super) const OTHER_ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIP0j6buctMGYgkdXFbCMDhKf3ORlW+4MxNCjLT0Ln4aS
-----END PRIVATE KEY-----
";

/// `openssl genpkey -algorithm X25519`: the same curve, but a key that does not sign.
pub(super) const X25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIOjUUuJJjiTMaTr5NHmz3y60GtX4aioNPdMQyizydTtm
-----END PRIVATE KEY-----
";

/// `openssl genpkey -algorithm ed448`.
pub(super) const ED448: &str = "-----BEGIN PRIVATE KEY-----
MEcCAQAwBQYDK2VxBDsEOYXs0KQmrbxAqgl6rRFf5fOlJ4oFWD3PsyKgE+jrmwnx
flm2h4KcQ+U0gjmFTBo5Ebsalvby3QlUhA==
-----END PRIVATE KEY-----
";

/// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
pub(super) const P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT669l6AngyMc43JC
9It0oSa8GIjmuKXPV1lkBRC7cyuhRANCAASgdxPq9oPG0R8vjNvUwD85dH7f8P0B
ytMtskZi5RnouMF1gNppVQd7l0JXLnaLGCiMoUbZ7LLWuP8FJV+NuDYl
-----END PRIVATE KEY-----
";

/// `openssl pkey -pubout` of [`P256`].
pub(super) const P256_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoHcT6vaDxtEfL4zb1MA/OXR+3/D9
AcrTLbJGYuUZ6LjBdYDaaVUHe5dCVy52ixgojKFG2eyy1rj/BSVfjbg2JQ==
-----END PUBLIC KEY-----
";

/// The same key without its public half.
pub(super) const P256_WITHOUT_PUBLIC: &str = "-----BEGIN PRIVATE KEY-----
MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCBPrr2XoCeDIxzjckL0
i3ShJrwYiOa4pc9XWWQFELtzKw==
-----END PRIVATE KEY-----
";

/// The same key with the public half of [`OTHER_P256`].
pub(super) const P256_WITH_FOREIGN_PUBLIC: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT669l6AngyMc43JC
9It0oSa8GIjmuKXPV1lkBRC7cyuhRANCAASEjok12yqu4Q2+gdDpQIzZK1wjkNJ9
uXkzsrgKGYtRnjun6jC340BwcQ+dpwaa+8aJfkKmiuwp1YrN6u3pUJvk
-----END PRIVATE KEY-----
";

/// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384`.
pub(super) const P384: &str = "-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCIbvN6Vcr0lGUl5zTD
PTYWB+PR8heaA3xLu8ub/F3xZoxL8mQJQ+szvnTMd1MQh/ehZANiAARHGtxAW7zf
hgYoU9uX/nMu3Rv1SwbIlGzrYIvWQ1aI2In4CVpUtwrUj+V9xhTzSW0S+G3xPFPK
0IasUt6pIKqYoC5Fx/orw+lauD+ERg9/Z79XmmlL2VeYSozgzNZ5P/A=
-----END PRIVATE KEY-----
";

/// Another P-256 key.
pub(super) const OTHER_P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4coY1RLg3JfJrfNx
/D/2smCIvDfVux98e95pMhAxmlGhRANCAASEjok12yqu4Q2+gdDpQIzZK1wjkNJ9
uXkzsrgKGYtRnjun6jC340BwcQ+dpwaa+8aJfkKmiuwp1YrN6u3pUJvk
-----END PRIVATE KEY-----
";

/// `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024`.
pub(super) const RSA: &str = "-----BEGIN PRIVATE KEY-----
MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGBAKKPHgVpb2YQ7lsM
U7dpCMfBMOpsOjct1OORKS6AKJgDeP2acsrqasmYZhP2oWZg9UOLTzKO+FRnc7MR
WGGAEj2Rn8CwboD7AQJuzFavvZS/KL43xqTUYvVW0g/KSZk1gL7NX+wh6V4ZC0lG
JurSSsKHZdvZy6m4ZxwU9S3M9yUBAgMBAAECgYBYvKVXsPF1luJ2YylD4ps/Z69L
GF9DBcrDmtcPIjiGmsauMWRebk5y07VNSoFagK0B/Qbzg2X9tSdMZbiIKMBLav4X
CfppZ3Xb2FBjTKXktY6Yl6PyuuAMAszrfJYHLjbCRumzvzl3H0DfFhiAvAftVuHy
RQ8qknCVhToJNfQCvQJBAMxXOveE1QhHvbFWek9uO/MxbTCl+zIe6imUdVYffdbY
GZIcF3fMVPNjm1b5wAqhwZp9T73asarAEiIDuzjEh4cCQQDLp88pg4bLw/UHrdYo
VBawGzHeoPxOdU/5WNYdkWrZD0yuLkBLwyCZSUNOL/kxfYAqKQjbVdVFidflMVxA
tYE3AkBKQpU6aLqmxLOqY/wVK8F7swW0fU2ZvGRq8fnmb5Fi56v7Tlw0/DwPK67D
YAYrlvdt9oZpP7X7kMvGMsbybXG3AkAWxlhrexL6/JoNVsppTiYPYastC3HL0GC2
MNIZEmcRiR15KSD1mAewPLozJzhF6ZQIovgjlzC3ixfCwMdhUSr3AkACCUqQpIjn
9vYIfTS73+LTo4CTnK+5SAugm2pYTWpB5oY2fpN68NrDFoFufycEWuGM2lou5CXB
+itEvwILUP+2
-----END PRIVATE KEY-----
";
