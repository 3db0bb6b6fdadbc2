using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Dns.Steering;

/// <summary>The kind <c>dns-rule</c>: which addresses some clients get.</summary>
public static class DnsRuleKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "dns-rule";

    public static Kind<DnsRuleSpec> Kind { get; } = new(Name, DnsRuleJson.Default.DnsRuleSpec)
    {
        Module = DnsModule.ModuleName,
        Summary = "Which addresses some clients get for names of DNS zones.",
        Namespaced = false,
        Validate = RuleRules.Check,
    };
}
