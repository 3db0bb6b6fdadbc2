using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Content.Referers;

namespace Groundwork.Communication.Gateway;

/// <summary>Whose pages may show what a route gives: against those that show it as their own.</summary>
public sealed record RefererSpec(
    [Description("Hosts of those pages, besides the one that is asked: 0 to 64 of shop.example.com and *.example.com.")]
    [Length(0, RefererRules.MaxHosts)]
    IReadOnlyList<string> Hosts,
    [Description("True: also who does not say where he comes from, as many browsers and programs do.")]
    bool AllowEmpty = true);
