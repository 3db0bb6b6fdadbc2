using System.Collections.Immutable;
using System.Numerics;
using System.Text;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>What an attack is after.</summary>
[Flags]
internal enum AttackClass
{
    None = 0,
    Sql = 1,
    Xss = 2,
    Traversal = 4,
    Command = 8,
    All = Sql | Xss | Traversal | Command,
}

/// <summary>The rules by their places in <see cref="InspectionRules.All"/>. What fired is a set of bits.</summary>
internal enum Rule
{
    SqlUnion,
    SqlTautology,
    SqlTautologyInText,
    SqlCondition,
    SqlConditionInText,
    SqlQuoteComment,
    SqlNumberComment,
    SqlQuoteOperator,
    SqlStacked,
    SqlSubquery,
    SqlCase,
    SqlTime,
    SqlFunction,
    SqlOrderProbe,
    SqlIntoFile,
    SqlStatement,
    SqlSchemaName,
    SqlServerVariable,
    SqlProcedure,
    SqlVersionComment,
    SqlCommentSpace,
    SqlEndComment,
    SqlQuoteKeyword,
    XssScript,
    XssTag,
    XssHandler,
    XssAttribute,
    XssUrl,
    XssBreak,
    XssSink,
    XssObscured,
    XssTemplate,
    XssMarkup,
    PathParents,
    PathParent,
    PathParentFile,
    PathSystemFile,
    PathSystemFileInText,
    PathHiddenFile,
    PathWrapper,
    CodingNul,
    CodingOverlong,
    CommandChained,
    CommandSubstituted,
    CommandBackticks,
    CommandShell,
    CommandShellInText,
    CommandRedirect,
    CommandObscured,
    CommandLookup,
    CommandFunction,
    CommandWord,
}

/// <summary>One rule.</summary>
/// <param name="Id">By which exceptions name it, and findings; never changes.</param>
/// <param name="Score">What it gives a value, once.</param>
/// <param name="Level">The level from which it is asked.</param>
internal sealed record InspectionRule(Rule Rule, string Id, AttackClass Class, int Score, int Level = 1);

/// <summary>All rules.</summary>
internal static class InspectionRules
{
    /// <summary>Each at the place of its <see cref="InspectionRule.Rule"/>.</summary>
    public static ImmutableArray<InspectionRule> All { get; } =
    [
        new(Rule.SqlUnion, "sql-union", AttackClass.Sql, 5),
        new(Rule.SqlTautology, "sql-tautology", AttackClass.Sql, 5),
        new(Rule.SqlTautologyInText, "sql-tautology-in-text", AttackClass.Sql, 3),
        new(Rule.SqlCondition, "sql-condition", AttackClass.Sql, 5),
        new(Rule.SqlConditionInText, "sql-condition-in-text", AttackClass.Sql, 3),
        new(Rule.SqlQuoteComment, "sql-quote-comment", AttackClass.Sql, 5),
        new(Rule.SqlNumberComment, "sql-number-comment", AttackClass.Sql, 3),
        new(Rule.SqlQuoteOperator, "sql-quote-operator", AttackClass.Sql, 5),
        new(Rule.SqlStacked, "sql-stacked", AttackClass.Sql, 5),
        new(Rule.SqlSubquery, "sql-subquery", AttackClass.Sql, 5),
        new(Rule.SqlCase, "sql-case", AttackClass.Sql, 5),
        new(Rule.SqlTime, "sql-time", AttackClass.Sql, 5),
        new(Rule.SqlFunction, "sql-function", AttackClass.Sql, 4),
        new(Rule.SqlOrderProbe, "sql-order-probe", AttackClass.Sql, 5),
        new(Rule.SqlIntoFile, "sql-into-file", AttackClass.Sql, 5),
        new(Rule.SqlStatement, "sql-statement", AttackClass.Sql, 4),
        new(Rule.SqlSchemaName, "sql-schema-name", AttackClass.Sql, 2),
        new(Rule.SqlServerVariable, "sql-server-variable", AttackClass.Sql, 4),
        new(Rule.SqlProcedure, "sql-procedure", AttackClass.Sql, 4),
        new(Rule.SqlVersionComment, "sql-version-comment", AttackClass.Sql, 5),
        new(Rule.SqlCommentSpace, "sql-comment-space", AttackClass.Sql, 3),
        new(Rule.SqlEndComment, "sql-end-comment", AttackClass.Sql, 2),
        new(Rule.SqlQuoteKeyword, "sql-quote-keyword", AttackClass.Sql, 5, Level: 2),
        new(Rule.XssScript, "xss-script", AttackClass.Xss, 5),
        new(Rule.XssTag, "xss-tag", AttackClass.Xss, 5),
        new(Rule.XssHandler, "xss-handler", AttackClass.Xss, 5),
        new(Rule.XssAttribute, "xss-attribute", AttackClass.Xss, 5),
        new(Rule.XssUrl, "xss-url", AttackClass.Xss, 5),
        new(Rule.XssBreak, "xss-break", AttackClass.Xss, 5),
        new(Rule.XssSink, "xss-sink", AttackClass.Xss, 3),
        new(Rule.XssObscured, "xss-obscured", AttackClass.Xss, 4),
        new(Rule.XssTemplate, "xss-template", AttackClass.Xss, 5),
        new(Rule.XssMarkup, "xss-markup", AttackClass.Xss, 5, Level: 2),
        new(Rule.PathParents, "path-parents", AttackClass.Traversal, 5),
        new(Rule.PathParent, "path-parent", AttackClass.Traversal, 3),
        new(Rule.PathParentFile, "path-parent-file", AttackClass.Traversal, 3),
        new(Rule.PathSystemFile, "path-system-file", AttackClass.Traversal, 5),
        new(Rule.PathSystemFileInText, "path-system-file-in-text", AttackClass.Traversal, 2),
        new(Rule.PathHiddenFile, "path-hidden-file", AttackClass.Traversal, 5),
        new(Rule.PathWrapper, "path-wrapper", AttackClass.Traversal, 5),
        new(Rule.CodingNul, "coding-nul", AttackClass.Traversal, 3),
        new(Rule.CodingOverlong, "coding-overlong", AttackClass.Traversal, 3),
        new(Rule.CommandChained, "command-chained", AttackClass.Command, 5),
        new(Rule.CommandSubstituted, "command-substituted", AttackClass.Command, 5),
        new(Rule.CommandBackticks, "command-backticks", AttackClass.Command, 2),
        new(Rule.CommandShell, "command-shell", AttackClass.Command, 5),
        new(Rule.CommandShellInText, "command-shell-in-text", AttackClass.Command, 2),
        new(Rule.CommandRedirect, "command-redirect", AttackClass.Command, 4),
        new(Rule.CommandObscured, "command-obscured", AttackClass.Command, 5),
        new(Rule.CommandLookup, "command-lookup", AttackClass.Command, 5),
        new(Rule.CommandFunction, "command-function", AttackClass.Command, 5),
        new(Rule.CommandWord, "command-word", AttackClass.Command, 5, Level: 2),
    ];

    public static AttackClass? ClassOf(string name) => name switch
    {
        "sql" => AttackClass.Sql,
        "xss" => AttackClass.Xss,
        "traversal" => AttackClass.Traversal,
        "command" => AttackClass.Command,
        _ => null,
    };

    public static InspectionRule? Find(string id) => All.FirstOrDefault(rule => rule.Id == id);

    /// <summary>The rules that a route asks.</summary>
    public static RuleSet Of(AttackClass classes, int level)
    {
        var set = default(RuleSet);
        foreach (var rule in All)
            if ((rule.Class & classes) != AttackClass.None && rule.Level <= level) set = set.With(rule.Rule);
        return set;
    }
}

/// <summary>Some of the rules: a bit for each.</summary>
internal readonly record struct RuleSet(ulong Bits)
{
    public static RuleSet All => new(ulong.MaxValue);

    public bool IsEmpty => Bits == 0;

    public RuleSet With(Rule rule) => new(Bits | (1UL << (int)rule));

    public RuleSet And(RuleSet other) => new(Bits & other.Bits);

    public RuleSet Or(RuleSet other) => new(Bits | other.Bits);

    public RuleSet Without(RuleSet other) => new(Bits & ~other.Bits);

    public bool Has(Rule rule) => (Bits & (1UL << (int)rule)) != 0;

    /// <summary>What they give together.</summary>
    public int Score
    {
        get
        {
            var score = 0;
            for (var rest = Bits; rest != 0; rest &= rest - 1)
                score += InspectionRules.All[BitOperations.TrailingZeroCount(rest)].Score;
            return score;
        }
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        for (var rest = Bits; rest != 0; rest &= rest - 1)
        {
            if (text.Length > 0) text.Append(", ");
            text.Append(InspectionRules.All[BitOperations.TrailingZeroCount(rest)].Id);
        }
        return text.ToString();
    }
}
