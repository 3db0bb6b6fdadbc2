using Groundwork.Client;
using Groundwork.Tests.Reader;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// One client for each argument: an instance id, `id!` for one whose callback throws on the value 2, `id+label=value`
// for one with a label, `id?flag=user` for one that asks for a flag instead. Each prints `id value` for its first value
// and for every change. The platform's address, key
// and the state directory come from the GROUNDWORK_* variables, as for any service.
var hosts = new List<IHost>();
using var ended = new CancellationTokenSource();
foreach (var argument in args)
{
    var asked = argument.Split('?');
    var parts = asked[0].Split('+');
    var id = parts[0].TrimEnd('!');
    var throws = parts[0].EndsWith('!');
    var builder = Host.CreateEmptyApplicationBuilder(null);
    builder.AddGroundwork(options =>
    {
        options.ServiceName = "reader";
        options.InstanceId = id;
        options.Register = false;
        options.DiskSnapshot = options.SnapshotDirectory is not null;
        foreach (var label in parts.Skip(1).Select(text => text.Split('='))) options.Labels[label[0]] = label[1];
    });
    var host = builder.Build();
    hosts.Add(host);
    await host.StartAsync();
    if (asked is [_, var question])
    {
        _ = AskAsync(host.Services.GetRequiredService<GroundworkFlags>(), id, question.Split('='), ended.Token);
        continue;
    }
    var front = host.Services.GetRequiredService<GroundworkSettings>().Watch<Front>("Front");
    front.OnChange(value =>
    {
        Console.WriteLine($"{id} {value.Percent}");
        if (throws && value.Percent == 2) throw new InvalidOperationException("no such theme");
    });
    Console.WriteLine($"{id} {front.Value.Percent}");
}

// The one who started it closes its input, or kills it.
await Console.In.ReadToEndAsync();
await ended.CancelAsync();
foreach (var host in hosts) await host.StopAsync();

// As a service does with each request, so that answers are counted, too.
static async Task AskAsync(GroundworkFlags flags, string id, string[] question, CancellationToken ended)
{
    bool? told = null;
    using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
    while (await timer.WaitForNextTickAsync(ended))
    {
        var answer = flags.IsOn(question[0], question[1]);
        if (told == answer) continue;
        told = answer;
        Console.WriteLine($"{id} {answer}");
    }
}
