using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.SignedUrls;

namespace Groundwork.Communication.Gateway;

/// <summary>Has a route give only what somebody was sent to by an address that is signed and expires.</summary>
public sealed record SignedUrlSpec(
    [Description("The signing-key that addresses are signed with, [namespace/]name; its previous secret counts too.")]
    string Key,
    [Description("Parameters of the query that are signed besides the path, at most 16; anybody may add others.")]
    [Length(1, SignedUrlRules.MaxNames)]
    IReadOnlyList<string>? Query = null,
    [Description("True: an address is for one client, whose IP address is signed with it.")]
    bool Client = false,
    [Description("How far ahead an address may expire, in seconds, 1 to 31,536,000.")]
    [Range(1, SignedUrlRules.MaxSeconds)]
    int MaxSeconds = 604_800);
