using Groundwork.Load;
using Groundwork.Load.Scenarios;

// Add a scenario here; its name is the first argument.
Scenario[] scenarios =
[
    new FloorScenario(),
    new StoreScenario(),
    new ChangesScenario(),
    new HttpChangesScenario(),
    new WatchersScenario(),
    new ParkedScenario(),
    new RestartScenario(),
    new OpenScenario(),
    new RenewalsScenario(),
    new NacosScenario(),
    new NacosPollsScenario(),
    new DnsScenario(),
    new CallsScenario(),
    new HungScenario(),
    new GatewayScenario(),
    new GatewayRouteScenario(),
    new GatewayDownloadScenario(),
    new GatewayUploadScenario(),
    new GatewayIdleScenario(),
];

if (args is ["serve", var name, .. var rest])
    return await scenarios.Single(scenario => scenario.Name == name).ServeAsync(rest);
if (args.Length == 0 || scenarios.FirstOrDefault(one => one.Name == args[0]) is not { } chosen)
{
    Console.Error.WriteLine(
        "Usage: dotnet run -c Release --project bench/load -- SCENARIO "
        + "[rounds=5] [seconds=5] [workers=64] [warmup=0] [only=0]");
    foreach (var scenario in scenarios) Console.Error.WriteLine($"  {scenario.Name,-16} {scenario.Question}");
    return 2;
}
if (!LoadOptions.TryParse(args.AsSpan(1), out var options, out var fault))
{
    Console.Error.WriteLine(fault);
    return 2;
}
options = options with { Workers = chosen.Workers ?? options.Workers };

var results = await Runner.RunAsync(chosen, options, TimeProvider.System);
Report.Write(Console.Out, chosen, options, results);
return 0;
