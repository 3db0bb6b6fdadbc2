using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Groundwork.Host.CommandLine;

/// <summary>The help of the program and of each verb: no page is larger than a terminal of 80 by 24.</summary>
internal sealed class HelpPage : SynchronousCommandLineAction
{
    public const int Columns = 80;
    public const int Rows = 24;

    /// <summary>The verbs in groups; a test holds that every visible one is here.</summary>
    private const string RootPage = """
        groundwork: the whole backend of an internet team in one process

          groundwork VERB [options]       'groundwork VERB --help' tells more

        Run        up DIR    build and run the services of DIR/up.yaml with a node
                   run       run a node
        Look       get  list  watch  history  diff  export  compare
        Change     apply  delete  rollback  revert  approve  refuse  promote  import
        Services   service  explain  drain  undrain  gateway
        Settings   settings  release  receipts  readers  blast-radius
        Access     login  key  operator  audit  seal  sealing-key
        Operate    node  modules  doctor  backup  restore  version

        Options of all verbs
          -o, --output FORMAT   table (default), json or yaml
          --server URL          a node elsewhere, with the access key in
                                GROUNDWORK_ACCESS_KEY or the sign-in of 'login'
          --data DIR            the local node's data directory
                                (default: ./.groundwork, then /var/lib/groundwork)

        Exit codes: 0 done, 1 fault, 2 usage, 3 no node, 4 refused, 5 conflict
        """;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command;
        output.WriteLine(command is RootCommand ? RootPage : Page(command));
        return ExitCodes.Ok;
    }

    public static string FullName(Command command)
    {
        var above = command.Parents.OfType<Command>().FirstOrDefault();
        return above is null ? "groundwork" : $"{FullName(above)} {command.Name}";
    }

    private static string Page(Command command)
    {
        var lines = new List<string> { command.Description ?? "", "", $"  {Usage(command)}", "" };
        var rows = command.Subcommands.Where(below => !below.Hidden)
            .Select(below => (below.Name, below.Description ?? ""))
            .Concat(command.Arguments.Select(argument => (Label(argument), argument.Description ?? "")))
            .Concat(command.Options.Where(option => !option.Hidden && option is not HelpOption)
                .Select(option => (Label(option), option.Description ?? "")))
            .ToList();
        if (UsesNode(command)) rows.Add(("-o, --server, --data", "As with all verbs; see 'groundwork --help'"));
        var width = rows.Select(row => row.Item1.Length).DefaultIfEmpty(0).Max();
        foreach (var (label, description) in rows) lines.AddRange(Wrap(label.PadRight(width), description));
        if (command is Verb { Example.Length: > 0 } verb) lines.AddRange(["", $"Example: groundwork {verb.Example}"]);
        return string.Join(Environment.NewLine, lines);
    }

    private static string Usage(Command command)
    {
        var parts = new List<string> { FullName(command) };
        if (command.Subcommands.Count > 0) parts.Add(string.Join('|', command.Subcommands.Select(below => below.Name)));
        foreach (var argument in command.Arguments)
        {
            var label = argument.Arity.MaximumNumberOfValues > 1 ? $"{Label(argument)}..." : Label(argument);
            parts.Add(argument.Arity.MinimumNumberOfValues == 0 ? $"[{label}]" : label);
        }
        if (command.Options.Count > 0) parts.Add("[options]");
        return string.Join(' ', parts);
    }

    private static bool UsesNode(Command command) => command is Verb { Run: not null, EndsWellWhenStopped: false };

    private static string Label(Argument argument) => argument.HelpName ?? argument.Name.ToUpperInvariant();

    private static string Label(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name).OrderBy(name => name.Length));
        return option.ValueType == typeof(bool) ? names : $"{names} {option.HelpName ?? "VALUE"}";
    }

    private static IEnumerable<string> Wrap(string label, string description)
    {
        var room = Columns - label.Length - 4;
        var line = "";
        var first = true;
        foreach (var word in description.Split(' '))
        {
            if (line.Length + word.Length + 1 > room)
            {
                yield return Row(line);
                line = "";
            }
            line += line.Length == 0 ? word : $" {word}";
        }
        yield return Row(line);

        string Row(string text)
        {
            var row = $"  {(first ? label : new string(' ', label.Length))}  {text}".TrimEnd();
            first = false;
            return row;
        }
    }
}
