namespace Shop.Orders;

/// <summary>
/// Settles what a crash or an absent payments service left pending: at the start, and every two seconds.
/// </summary>
public sealed partial class PendingOrders(
    OrderStore orders, Checkout checkout, TimeProvider time, ILogger<PendingOrders> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Orders of one round; the oldest come first, so none is left for ever.</summary>
    private const int MaxRound = 100;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do await RoundAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private async Task RoundAsync(CancellationToken stoppingToken)
    {
        // Those of the last seconds are still with the request that placed them.
        var before = time.GetUtcNow() - Interval;
        foreach (var order in orders.PendingBefore(before, MaxRound))
        {
            try
            {
                var settled = await checkout.SettleAsync(order, stoppingToken);
                if (settled.State == Order.Pending) return; // Payments is away: the others can wait too.
                LogSettled(order.Id, settled.State);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                LogFailed(order.Id, fault);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Order {Id} was pending and is {State} now")]
    private partial void LogSettled(Guid id, string state);

    [LoggerMessage(Level = LogLevel.Error, Message = "Order {Id} could not be settled")]
    private partial void LogFailed(Guid id, Exception fault);
}
